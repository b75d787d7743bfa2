import type { Instance } from "./instance.js";
import { ceilDivide } from "./integers.js";

/**
 * us that no schedule of the problem's degrees and objective can beat: the larger of the work spread evenly over
 * all ranks with the fewest micro-batches, and of the slowest sequence alone at its best degree.
 */
export function lowerBound(instance: Instance): number {
  const sequences = instance.problem.lengths.length;
  if (sequences === 0) return 0;
  let work = 0;
  let memory = 0;
  let longest = 0;
  for (let sequence = 0; sequence < sequences; sequence += 1) {
    const degrees = instance.usableDegrees(sequence);
    work += leastOf(degrees, (degree) => totalWork(instance, sequence, degree));
    memory += leastOf(degrees, (degree) => degree * instance.shard(sequence, degree));
    const alone = leastOf(degrees, (degree) => instance.aloneTime(sequence, degree));
    if (alone > longest) longest = alone;
  }
  const spread = work / instance.ranks + instance.problem.cost.fixed * fewestMicroBatches(instance, memory);
  // Sums of floats err by at most a rounding a term, in this bound and in a schedule's time.
  const certain = spread * (1 - (sequences + 16) / 2 ** 51);
  return certain > longest ? certain : longest;
}

/** us over all ranks of the group. */
function totalWork(instance: Instance, sequence: number, degree: number): number {
  const { a2, small_shard_tokens: smallShard } = instance.problem.cost;
  return instance.wholeWork(sequence) + degree * (a2 * smallShard * instance.length(sequence));
}

/**
 * Micro-batches of a data rank, on average: each holds what one bucket per context-parallel rank holds. In
 * lockstep all data ranks pay for every index, so there it is a whole number.
 */
function fewestMicroBatches(instance: Instance, memory: number): number {
  const { data_parallel: dataParallel, degrees, objective } = instance.problem;
  const all = ceilDivide(memory, instance.capacity * instance.contextParallel);
  const together = objective === "lockstep" || degrees === "pool";
  return together ? ceilDivide(all, dataParallel) : all / dataParallel;
}

function leastOf(degrees: readonly number[], value: (degree: number) => number): number {
  let least = Number.POSITIVE_INFINITY;
  for (const degree of degrees) {
    const candidate = value(degree);
    if (candidate < least) least = candidate;
  }
  return least;
}
