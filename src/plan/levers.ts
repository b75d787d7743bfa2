import { bucketFor, peakBytes } from "../cost/bucket.js";
import { type MemorySetting, memoryModel, type ZeroStage } from "../cost/memory.js";
import type { Checkpointing } from "../cost/shape.js";
import { formatBytes, formatCount } from "../foundation/format.js";
import { divisors } from "../foundation/integers.js";

export interface FitProblem {
  readonly setting: MemorySetting;
  /** Bytes of a rank, reserve taken off. */
  readonly budgetBytes: number;
  /** Tokens of the longest sequence. */
  readonly longest: number;
  /** The spec's own bucket, if it sets one. */
  readonly bucket: number | undefined;
}

const CHECKPOINTING: readonly Checkpointing[] = ["none", "selective", "full"];
const STAGES: readonly ZeroStage[] = [0, 1, 2, 3];

/** Tokens that the longest sequence takes on each rank of its group, zigzag padding included. */
export function longestShard(longest: number, contextParallel: number): number {
  if (contextParallel === 1) return longest;
  return 2 * Math.ceil(longest / (2 * contextParallel));
}

/** Tokens of the longest sequence that a bucket of each rank of its group holds: {@link longestShard} the other way. */
export function longestThatFits(bucket: number, contextParallel: number): number {
  return contextParallel === 1 ? bucket : 2 * contextParallel * Math.floor(bucket / 2);
}

/** The spec's, where it fits; 0 where it does not. */
function bucketOf({ setting, budgetBytes, bucket }: FitProblem): number {
  const model = memoryModel(setting);
  if (bucket === undefined) return bucketFor(model, budgetBytes).tokens;
  return peakBytes(model, bucket + 1) <= budgetBytes ? bucket : 0;
}

/** Whether every sequence can be placed: the longest fits over its whole context-parallel group. */
export function fits(problem: FitProblem): boolean {
  return longestShard(problem.longest, problem.setting.contextParallel) <= bucketOf(problem);
}

/**
 * Changes to the spec that would each, alone, make the longest sequence fit; tried with the same memory model,
 * not guessed.
 */
export function leversThatFit(problem: FitProblem): readonly string[] {
  const { setting } = problem;
  const change = (part: Partial<MemorySetting>): boolean =>
    fits({ ...problem, setting: { ...setting, ...part } });
  const degree = divisors(setting.ranks).find(
    (d) => d > setting.contextParallel && change({ contextParallel: d }),
  );
  const checkpointing = CHECKPOINTING.slice(CHECKPOINTING.indexOf(setting.checkpointing) + 1).find(
    (mode) => change({ checkpointing: mode }),
  );
  const stage = STAGES.find((s) => s > setting.zeroStage && change({ zeroStage: s }));
  return [
    degree && `parallel { context = ${degree} }`,
    checkpointing && `model { checkpointing = ${checkpointing} }`,
    stage && `parallel { zero = ${stage} }`,
    ...memoryLevers(problem),
  ].filter((lever) => typeof lever === "string");
}

function memoryLevers(problem: FitProblem): readonly string[] {
  const { setting, longest, budgetBytes, bucket } = problem;
  const shard = longestShard(longest, setting.contextParallel);
  const neededBy = (tokens: number) => peakBytes(memoryModel(setting), tokens + 1);
  const room = longestThatFits(bucketOf(problem), setting.contextParallel);
  const shorter =
    room > 0 ? [`data { max_length = ${room} } (now the longest has ${formatCount(longest)})`] : [];
  if (bucket !== undefined && bucket < shard) {
    return neededBy(shard) <= budgetBytes ? [`memory { bucket = ${shard} }`, ...shorter] : shorter;
  }
  const more = neededBy(bucket ?? shard) - budgetBytes;
  return [`a budget of ${formatBytes(more)} more`, ...shorter];
}
