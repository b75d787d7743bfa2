import { degreesOfClass, isAvailable, rankCount } from "./degrees.js";
import type { Problem } from "./problem.js";
import type { MicroBatch, Placement } from "./schedule.js";

/**
 * What is wrong with a schedule, in words; empty when it is sound. Shares no arithmetic with the policies: each
 * sequence once, permitted and aligned groups, one data-parallel rank each (but under `pool`), padded memory.
 */
export function verifySchedule(
  problem: Problem,
  microBatches: readonly MicroBatch[],
): readonly string[] {
  const problems: string[] = [];
  const permitted = degreesOfClass(problem);
  const seen = new Array<number>(problem.lengths.length).fill(0);
  for (const [position, { index, placements }] of microBatches.entries()) {
    if (index !== position) problems.push(`micro-batch ${position} has index ${index}`);
    for (const placement of placements) {
      seen[placement.sequence] = (seen[placement.sequence] ?? 0) + 1;
      problems.push(...placementProblems(placement, permitted, problem));
    }
    problems.push(...memoryProblems(placements, position, problem));
  }
  for (const [sequence, times] of seen.entries()) {
    if (times !== 1) problems.push(`sequence ${sequence} is placed ${times} times`);
  }
  return problems;
}

function placementProblems(
  placement: Placement,
  permitted: readonly number[],
  problem: Problem,
): readonly string[] {
  const { sequence, first_rank: first, degree } = placement;
  const context = problem.context_parallel;
  const problems: string[] = [];
  if (problem.lengths[sequence] === undefined) problems.push("no such sequence");
  if (!permitted.includes(degree)) problems.push("degree not permitted");
  if (!isAvailable(degree, problem)) problems.push("degree without a cost");
  if (first % degree !== 0) problems.push("group not aligned");
  if (first < 0 || first + degree > rankCount(problem)) problems.push("no such ranks");
  const last = first + degree - 1;
  if (problem.degrees !== "pool" && Math.floor(first / context) !== Math.floor(last / context)) {
    problems.push("group crosses data-parallel ranks");
  }
  return problems.map((what) => `sequence ${sequence} on ${degree} ranks from ${first}: ${what}`);
}

/**
 * Sums whole and fractional shards over the ranks, fractions with a common denominator. A group adds where it begins
 * and takes away where it ends, so that the sums take as long as there are groups, not ranks; all are exact.
 */
function memoryProblems(
  placements: readonly Placement[],
  index: number,
  problem: Problem,
): readonly string[] {
  // In fractions of a token that every permitted degree divides.
  const whole = problem.degrees === "pool" ? rankCount(problem) : problem.context_parallel;
  const change = new Map<number, number>();
  const add = (rank: number, units: number) => change.set(rank, (change.get(rank) ?? 0) + units);
  for (const { sequence, first_rank: first, degree } of placements) {
    const length = problem.lengths[sequence] ?? 0;
    const zigzag = problem.padding === "zigzag" && degree > 1;
    const share = zigzag ? Math.ceil(length / (2 * degree)) * 2 * whole : (length * whole) / degree;
    add(first, share);
    add(first + degree, -share);
  }
  const capacity = problem.bucket * whole;
  const problems: string[] = [];
  let used = 0;
  for (const rank of [...change.keys()].sort((a, b) => a - b)) {
    used += change.get(rank) ?? 0;
    if (used > capacity) problems.push(`micro-batch ${index}: rank ${rank} is over its bucket`);
  }
  return problems;
}
