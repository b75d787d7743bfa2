import { bucketUnits, communicationOf, shardUnits, workOf } from "./cost.js";
import { degreesOfClass, isAvailable, rankCount } from "./degrees.js";
import type { Problem } from "./problem.js";

/**
 * A time, us, that no schedule of the problem's degrees and objective can beat: the larger of
 * the whole work spread evenly over all ranks, with the fixed cost of the fewest micro-batches that memory
 * allows, and the longest-running sequence alone at its best degree. Lockstep is never below free.
 */
export function lowerBound(problem: Problem): number {
  return Math.max(evenSpread(problem), longestAlone(problem));
}

function evenSpread(problem: Problem): number {
  const { lengths, cost, data_parallel: dataParallel, degrees } = problem;
  if (lengths.length === 0) return 0;
  const ranks = rankCount(problem);
  let work = 0;
  let units = 0;
  for (const length of lengths) {
    // A sequence costs least in total when it is not cut.
    work += workOf(length, 1, problem);
    units += length * problem.context_parallel;
  }
  // A micro-batch of the pool spans all ranks; otherwise one is of one data-parallel rank, and they share the cost.
  const pool = degrees === "pool";
  const capacity = bucketUnits(problem) * (pool ? ranks : problem.context_parallel);
  const microBatches = Math.max(1, Math.ceil(units / capacity));
  const fixed = pool ? cost.fixed * microBatches : (cost.fixed * microBatches) / dataParallel;
  return work / ranks + Math.max(fixed, cost.fixed);
}

function longestAlone(problem: Problem): number {
  const permitted = degreesOfClass(problem).filter((degree) => isAvailable(degree, problem));
  let longest = 0;
  for (const length of problem.lengths) {
    let best = Number.POSITIVE_INFINITY;
    for (const degree of permitted) {
      if (shardUnits(length, degree, problem) > bucketUnits(problem)) continue;
      const time = communicationOf(length, degree, problem) + workOf(length, degree, problem);
      if (time < best) best = time;
    }
    // Not shorter than the smallest sequence of the same kind: one that fits nowhere is refused elsewhere.
    if (best < Number.POSITIVE_INFINITY && best > longest) longest = best;
  }
  return problem.lengths.length === 0 ? 0 : longest + problem.cost.fixed;
}
