// Generated from the files of this folder by scripts/generate-rules.mjs. Do not edit.
import type { Rule } from "../rule.js";
import adapterScaleUnusual from "./adapters/adapter-scale-unusual.rule.js";
import adaptersOnRandomWeights from "./adapters/adapters-on-random-weights.rule.js";
import adaptersTooLarge from "./adapters/adapters-too-large.rule.js";
import adaptersWithZeroThree from "./adapters/adapters-with-zero-three.rule.js";
import attentionNeedsGpu from "./model/attention-needs-gpu.rule.js";
import batchExceedsData from "./data/batch-exceeds-data.rule.js";
import betasUnsound from "./training/betas-unsound.rule.js";
import bucketExceedsBudget from "./memory/bucket-exceeds-budget.rule.js";
import bucketTooSmall from "./memory/bucket-too-small.rule.js";
import checkpointNever from "./training/checkpoint-never.rule.js";
import checkpointingOffloadNeedless from "./memory/checkpointing-offload-needless.rule.js";
import clipUnusual from "./training/clip-unusual.rule.js";
import contextTooLarge from "./machines/context-too-large.rule.js";
import evaluationOnTrainingData from "./data/evaluation-on-training-data.rule.js";
import evaluationTooLong from "./memory/evaluation-too-long.rule.js";
import fullPrecisionOnGpu from "./model/full-precision-on-gpu.rule.js";
import groupCrossesNodes from "./machines/group-crosses-nodes.rule.js";
import headsNotDivisible from "./machines/heads-not-divisible.rule.js";
import hostMemoryExceeded from "./memory/host-memory-exceeded.rule.js";
import hostMemoryShort from "./memory/host-memory-short.rule.js";
import hostsNameLocal from "./machines/hosts-name-local.rule.js";
import hubWeightsQuantised from "./model/hub-weights-quantised.rule.js";
import idleRanks from "./machines/idle-ranks.rule.js";
import incompatibleCombination from "./model/incompatible-combination.rule.js";
import intervalBeyondRun from "./training/interval-beyond-run.rule.js";
import invalidModelConfig from "./model/invalid-model-config.rule.js";
import keyWithoutEffect from "./text/key-without-effect.rule.js";
import lastBatchTiny from "./data/last-batch-tiny.rule.js";
import learningRateUnusual from "./training/learning-rate-unusual.rule.js";
import logitsDominate from "./memory/logits-dominate.rule.js";
import maxLengthBeyondPositions from "./model/max-length-beyond-positions.rule.js";
import modelUnchecked from "./model/model-unchecked.rule.js";
import modelUndescribed from "./model/model-undescribed.rule.js";
import offloadNeedless from "./memory/offload-needless.rule.js";
import outdatedDeepspeed from "./machines/outdated-deepspeed.rule.js";
import overlongSamples from "./data/overlong-samples.rule.js";
import overlongSamplesLost from "./data/overlong-samples-lost.rule.js";
import positionLimit from "./model/position-limit.rule.js";
import profileMismatch from "./machines/profile-mismatch.rule.js";
import remoteCodeNeeded from "./model/remote-code-needed.rule.js";
import reserveTooSmall from "./memory/reserve-too-small.rule.js";
import resumeOnOtherRanks from "./training/resume-on-other-ranks.rule.js";
import revisionUnpinned from "./model/revision-unpinned.rule.js";
import secretInSpec from "./text/secret-in-spec.rule.js";
import sequenceTooLong from "./memory/sequence-too-long.rule.js";
import sequencesStayWhole from "./model/sequences-stay-whole.rule.js";
import staleLengths from "./data/stale-lengths.rule.js";
import statesExceedBudget from "./memory/states-exceed-budget.rule.js";
import tilesWithExperts from "./model/tiles-with-experts.rule.js";
import tokenizerWithoutMeaning from "./model/tokenizer-without-meaning.rule.js";
import unknownAdapterTarget from "./adapters/unknown-adapter-target.rule.js";
import unsupervisedSamples from "./data/unsupervised-samples.rule.js";
import unusedConstant from "./text/unused-constant.rule.js";
import unusedImport from "./text/unused-import.rule.js";
import warmupDominates from "./training/warmup-dominates.rule.js";
import weightsIncomplete from "./model/weights-incomplete.rule.js";
import weightsNotFound from "./model/weights-not-found.rule.js";
import weightsOfAnotherShape from "./model/weights-of-another-shape.rule.js";
import weightsQuantised from "./model/weights-quantised.rule.js";
import weightsUnreadable from "./model/weights-unreadable.rule.js";

export const RULES: readonly Rule[] = [
  adapterScaleUnusual,
  adaptersOnRandomWeights,
  adaptersTooLarge,
  adaptersWithZeroThree,
  attentionNeedsGpu,
  batchExceedsData,
  betasUnsound,
  bucketExceedsBudget,
  bucketTooSmall,
  checkpointNever,
  checkpointingOffloadNeedless,
  clipUnusual,
  contextTooLarge,
  evaluationOnTrainingData,
  evaluationTooLong,
  fullPrecisionOnGpu,
  groupCrossesNodes,
  headsNotDivisible,
  hostMemoryExceeded,
  hostMemoryShort,
  hostsNameLocal,
  hubWeightsQuantised,
  idleRanks,
  incompatibleCombination,
  intervalBeyondRun,
  invalidModelConfig,
  keyWithoutEffect,
  lastBatchTiny,
  learningRateUnusual,
  logitsDominate,
  maxLengthBeyondPositions,
  modelUnchecked,
  modelUndescribed,
  offloadNeedless,
  outdatedDeepspeed,
  overlongSamples,
  overlongSamplesLost,
  positionLimit,
  profileMismatch,
  remoteCodeNeeded,
  reserveTooSmall,
  resumeOnOtherRanks,
  revisionUnpinned,
  secretInSpec,
  sequenceTooLong,
  sequencesStayWhole,
  staleLengths,
  statesExceedBudget,
  tilesWithExperts,
  tokenizerWithoutMeaning,
  unknownAdapterTarget,
  unsupervisedSamples,
  unusedConstant,
  unusedImport,
  warmupDominates,
  weightsIncomplete,
  weightsNotFound,
  weightsOfAnotherShape,
  weightsQuantised,
  weightsUnreadable,
];
