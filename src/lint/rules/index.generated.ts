// Generated from the files of this folder by scripts/generate-rules.mjs. Do not edit.
import type { Rule } from "../rule.js";
import adapterScaleUnusual from "./adapter-scale-unusual.rule.js";
import adaptersOnRandomWeights from "./adapters-on-random-weights.rule.js";
import adaptersTooLarge from "./adapters-too-large.rule.js";
import adaptersWithZeroThree from "./adapters-with-zero-three.rule.js";
import attentionNeedsGpu from "./attention-needs-gpu.rule.js";
import batchExceedsData from "./batch-exceeds-data.rule.js";
import betasUnsound from "./betas-unsound.rule.js";
import bucketExceedsBudget from "./bucket-exceeds-budget.rule.js";
import bucketTooSmall from "./bucket-too-small.rule.js";
import checkpointNever from "./checkpoint-never.rule.js";
import clipUnusual from "./clip-unusual.rule.js";
import contextTooLarge from "./context-too-large.rule.js";
import evaluationOnTrainingData from "./evaluation-on-training-data.rule.js";
import evaluationTooLong from "./evaluation-too-long.rule.js";
import fullPrecisionOnGpu from "./full-precision-on-gpu.rule.js";
import groupCrossesNodes from "./group-crosses-nodes.rule.js";
import headsNotDivisible from "./heads-not-divisible.rule.js";
import hostMemoryExceeded from "./host-memory-exceeded.rule.js";
import hostMemoryShort from "./host-memory-short.rule.js";
import hostsNameLocal from "./hosts-name-local.rule.js";
import idleRanks from "./idle-ranks.rule.js";
import incompatibleCombination from "./incompatible-combination.rule.js";
import intervalBeyondRun from "./interval-beyond-run.rule.js";
import invalidModelConfig from "./invalid-model-config.rule.js";
import keyWithoutEffect from "./key-without-effect.rule.js";
import lastBatchTiny from "./last-batch-tiny.rule.js";
import learningRateUnusual from "./learning-rate-unusual.rule.js";
import logitsDominate from "./logits-dominate.rule.js";
import maxLengthBeyondPositions from "./max-length-beyond-positions.rule.js";
import offloadNeedless from "./offload-needless.rule.js";
import outdatedDeepspeed from "./outdated-deepspeed.rule.js";
import overlongSamples from "./overlong-samples.rule.js";
import overlongSamplesLost from "./overlong-samples-lost.rule.js";
import positionLimit from "./position-limit.rule.js";
import profileMismatch from "./profile-mismatch.rule.js";
import remoteCodeNeeded from "./remote-code-needed.rule.js";
import reserveTooSmall from "./reserve-too-small.rule.js";
import resumeOnOtherRanks from "./resume-on-other-ranks.rule.js";
import secretInSpec from "./secret-in-spec.rule.js";
import sequenceTooLong from "./sequence-too-long.rule.js";
import staleLengths from "./stale-lengths.rule.js";
import statesExceedBudget from "./states-exceed-budget.rule.js";
import tokenizerWithoutMeaning from "./tokenizer-without-meaning.rule.js";
import unknownAdapterTarget from "./unknown-adapter-target.rule.js";
import unsupervisedSamples from "./unsupervised-samples.rule.js";
import unusedConstant from "./unused-constant.rule.js";
import unusedImport from "./unused-import.rule.js";
import warmupDominates from "./warmup-dominates.rule.js";
import weightsIncomplete from "./weights-incomplete.rule.js";
import weightsNotFound from "./weights-not-found.rule.js";
import weightsOfAnotherShape from "./weights-of-another-shape.rule.js";
import weightsQuantised from "./weights-quantised.rule.js";
import weightsUnreadable from "./weights-unreadable.rule.js";

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
  idleRanks,
  incompatibleCombination,
  intervalBeyondRun,
  invalidModelConfig,
  keyWithoutEffect,
  lastBatchTiny,
  learningRateUnusual,
  logitsDominate,
  maxLengthBeyondPositions,
  offloadNeedless,
  outdatedDeepspeed,
  overlongSamples,
  overlongSamplesLost,
  positionLimit,
  profileMismatch,
  remoteCodeNeeded,
  reserveTooSmall,
  resumeOnOtherRanks,
  secretInSpec,
  sequenceTooLong,
  staleLengths,
  statesExceedBudget,
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
