import { memoryOfRank } from "../catalogue/gpu.js";
import { bucketFor } from "../cost/bucket.js";
import type { Groups } from "../cost/communicators.js";
import { type AttentionKernel, type MemorySetting, memoryModel } from "../cost/memory.js";
import { type MemoryModel, peakBytes, totalBytes } from "../cost/memory-model.js";
import type { Spec } from "../language/language.js";
import { degreesOfClass, widestGroup } from "../schedule/degrees.js";
import { shardTokens } from "../schedule/time-and-memory.js";

import { optimizerStates } from "./optimizer-states.js";
import type { Setup } from "./setup.js";

export { shardTokens };

const LARGEST_ZERO_BUCKET = 50_000_000;

/** What decides whether the longest sequence fits. */
export interface FitProblem {
  readonly setting: MemorySetting;
  /** Bytes of a rank, reserve taken off. */
  readonly budgetBytes: number;
  /** Bytes of its share of the node's memory; infinite where that is not known. */
  readonly hostBytes: number;
  /** Tokens of the longest sequence. */
  readonly longest: number;
  /** The spec's own bucket, if it sets one. */
  readonly bucket: number | undefined;
}

/** Memory of a rank and what it leaves for sequences. */
export interface RankMemory {
  readonly model: MemoryModel;
  /** Bytes that a rank may use, reserve taken off. */
  readonly available: number;
  /** Largest bucket that fits, tokens; 0 where the model's states alone do not. */
  readonly bucket: number;
  /** Whether the longest sequence fits over the largest group that it may have. */
  readonly fits: boolean;
}

/** Memory of a rank, without a schedule and without diagnostics. */
export function rankMemory(setup: Setup): RankMemory {
  const fit = fitProblem(setup);
  const model = memoryModel(fit.setting);
  const bucket = largestBucket(fit, model);
  return { model, available: fit.budgetBytes, bucket, fits: fits(fit) };
}

/** The memory of a setup's ranks, and what must fit into it. */
export function fitProblem(setup: Setup): FitProblem {
  const { memory, model, parallel, cluster } = setup.spec;
  const { topology } = setup;
  const budget = memory.budget ?? memoryOfRank(setup.inputs.gpu, cluster);
  const setting: MemorySetting = {
    shape: setup.shape,
    precision: model.precision,
    gradients: setup.spec.train.gradients,
    checkpointing: setup.checkpointing,
    fused: model.kernels === "liger",
    zeroStage: topology.zero_stage,
    ranks: topology.ranks,
    largestGroup: largestGroup(setup),
    ...optimizerStates(setup),
    lossChunk: setup.lossChunk,
    mlpTile: setup.mlpTile,
    zeroBucket: Math.min(LARGEST_ZERO_BUCKET, setup.shape.parameters),
    reduction: parallel.reduction,
    offload: memory.offload,
    routerLoss: setup.inputs.dimensions.router_loss,
    lora: setup.lora,
    activationFactor: setup.hardware.figures.activation_factor,
    groups: groupsOf(setup),
    kernel: kernelOf(setup),
    orderedSums: hasOrderedSums(setup),
  };
  return {
    setting,
    budgetBytes: budget - memory.reserve,
    hostBytes: (cluster.host_memory ?? Number.POSITIVE_INFINITY) / cluster.gpus,
    longest: longestOf(setup),
    bucket: memory.bucket,
  };
}

function groupsOf({ spec, topology }: Setup): Groups | null {
  if (topology.device !== "cuda") return null;
  const widest = largestGroup({ spec, topology });
  const degrees = degreesOfClass({ ...topology, ...spec.schedule });
  return {
    ranks: topology.ranks,
    degrees: degrees.filter((degree) => degree > 1 && degree <= widest),
    ranksPerNode: spec.cluster.gpus,
  };
}

/** PyTorch's varlen_attn is FlashAttention-2; so, as far as memory goes, is what `auto` may take. */
function kernelOf({ spec, topology }: Setup): AttentionKernel {
  const { attention } = spec.model;
  if (topology.device !== "cuda" || attention === "sdpa") return "none";
  return attention === "flash3" ? "flash3" : "flash2";
}

/** FlashAttention-3 takes turns instead, and PyTorch's own attention has no such sums. */
function hasOrderedSums({ spec, topology }: Setup): boolean {
  const { attention } = spec.model;
  const ordered = attention !== "flash3" && attention !== "sdpa";
  return topology.device === "cuda" && spec.train.deterministic && ordered;
}

/** Ranks of the largest group that the spec's degrees and policy give a sequence. */
export function largestGroup({ spec, topology }: Pick<Setup, "spec" | "topology">): number {
  return widestGroup({ ...topology, ...spec.schedule });
}

/** As {@link largestGroup}, of a spec whose context-parallel degree is `context`. */
export function groupAt(
  context: number,
  { cluster, schedule }: Pick<Spec, "cluster" | "schedule">,
) {
  const data_parallel = (cluster.nodes * cluster.gpus) / context;
  return widestGroup({ ...schedule, data_parallel, context_parallel: context });
}

/** Tokens of the longest sequence that a bucket of each rank of its group holds: {@link shardTokens} the other way. */
export function longestThatFits(bucket: number, group: number): number {
  return group === 1 ? bucket : 2 * group * Math.floor(bucket / 2);
}

/** The most tokens that the GPU holds, and of what they keep in the host's memory, that. */
export function largestBucket(
  { budgetBytes, hostBytes }: Pick<FitProblem, "budgetBytes" | "hostBytes">,
  model: MemoryModel,
): number {
  const own = bucketFor(model, budgetBytes).tokens;
  const perToken = totalBytes(model.hostPerToken);
  if (perToken === 0 || hostBytes === Number.POSITIVE_INFINITY) return own;
  const hosted = Math.floor((hostBytes - totalBytes(model.host)) / perToken) - 1;
  return Math.max(0, Math.min(own, hosted));
}

/** The bucket that a rank has: the spec's, where it fits; 0 where it does not. */
export function bucketOf(problem: FitProblem): number {
  const { setting, budgetBytes, bucket } = problem;
  const model = memoryModel(setting);
  if (bucket === undefined) return largestBucket(problem, model);
  return peakBytes(model, bucket + 1) <= budgetBytes ? bucket : 0;
}

/** Whether every sequence can be placed: the longest fits over the largest group that it may have. */
export function fits(problem: FitProblem): boolean {
  return shardTokens(problem.longest, problem.setting.largestGroup) <= bucketOf(problem);
}

/** Bytes, reserve not counted, of a rank that holds its shard of the longest sequence, and its own bucket if it has one. */
export function neededBytes({ setting, longest, bucket = 0 }: FitProblem): number {
  const shard = shardTokens(longest, setting.largestGroup);
  return peakBytes(memoryModel(setting), Math.max(shard, bucket) + 1);
}

/** Bytes that the ranks of a node keep in its memory, offloaded there. */
export function offloadedBytes(problem: FitProblem, ranksOfNode: number): number {
  const { host, hostPerToken } = memoryModel(problem.setting);
  return ranksOfNode * (totalBytes(host) + (bucketOf(problem) + 1) * totalBytes(hostPerToken));
}

/** Whether a rank's share of its node's memory holds what it keeps there, as far as that is known. */
export const fitsHost = (problem: FitProblem): boolean =>
  offloadedBytes(problem, 1) <= problem.hostBytes;

/** Of all sequences, held-out ones too: they take the same way. */
export function longestOf(setup: Setup): number {
  const { data, evaluation } = setup.inputs;
  return Math.max(data.summary.longest, evaluation?.summary.longest ?? 0);
}
