import type { Problem } from "./problem.js";
import type { RankMicroBatch } from "./schedule.js";

/**
 * Work of a sequence on each of the d ranks it is on, us: `(a1 S + a2 S^2) / d + a2 s0 S`
 * (arXiv:2505.19609 Eq. 13 and 14; the last term is what small shards lose).
 */
export function workOf(length: number, degree: number, { cost }: Problem): number {
  const whole = cost.a1 * length + cost.a2 * length * length;
  return whole / degree + cost.a2 * cost.small_shard_tokens * length;
}

/** Communication of a group of `degree` ranks in one micro-batch, us (arXiv:2505.19609 Eq. 16). */
export function communicationOf(tokens: number, degree: number, { cost }: Problem): number {
  const row = cost.comm[degree];
  if (tokens === 0 || degree === 1 || row === undefined) return 0;
  return Math.max(row[0], row[1] + row[2] * tokens);
}

/**
 * Memory of a shard in units of 1/N token, N the context-parallel degree: whole numbers, so that a micro-batch
 * that is exactly full is recognised as such.
 */
export function shardUnits(length: number, degree: number, problem: Problem): number {
  const { context_parallel: unit, padding } = problem;
  if (degree === 1) return length * unit;
  if (padding === "zigzag") return 2 * Math.ceil(length / (2 * degree)) * unit;
  return (length * unit) / degree;
}

/** Capacity of a rank in the units of {@link shardUnits}; more than all tokens together is no different. */
export function bucketUnits(problem: Problem): number {
  return Math.min(problem.bucket * problem.context_parallel, Number.MAX_SAFE_INTEGER);
}

/**
 * Time of a micro-batch on ranks `first .. first + count - 1`, us: the slowest rank's
 * `max(communication, local work) + sharded work + fixed` (arXiv:2505.19609 Eq. 1 and 2); 0 without sequences.
 */
export function microBatchTime(
  placements: RankMicroBatch,
  first: number,
  count: number,
  problem: Problem,
): number {
  if (placements.length === 0) return 0;
  const local = new Array<number>(count).fill(0);
  const sharded = new Array<number>(count).fill(0);
  const groups = new Map<number, { first: number; degree: number; tokens: number }>();
  for (const { sequence, first_rank, degree } of placements) {
    const length = problem.lengths[sequence] ?? 0;
    const work = workOf(length, degree, problem);
    const rank = first_rank - first;
    if (degree === 1) {
      local[rank] = (local[rank] ?? 0) + work;
      continue;
    }
    for (let r = rank; r < rank + degree; r += 1) sharded[r] = (sharded[r] ?? 0) + work;
    const key = degree * count + rank;
    const group = groups.get(key) ?? { first: rank, degree, tokens: 0 };
    group.tokens += length;
    groups.set(key, group);
  }
  const communication = communicationByRank([...groups.values()], count, problem);
  let slowest = 0;
  for (let r = 0; r < count; r += 1) {
    const time = Math.max(communication[r] ?? 0, local[r] ?? 0) + (sharded[r] ?? 0);
    if (time > slowest) slowest = time;
  }
  return slowest + problem.cost.fixed;
}

/** Sum over the groups of each rank, in the order of degree and first rank: one order, one rounding. */
function communicationByRank(
  groups: readonly { first: number; degree: number; tokens: number }[],
  count: number,
  problem: Problem,
): readonly number[] {
  const total = new Array<number>(count).fill(0);
  const ordered = [...groups].sort((a, b) => a.degree - b.degree || a.first - b.first);
  for (const { first, degree, tokens } of ordered) {
    const time = communicationOf(tokens, degree, problem);
    for (let r = first; r < first + degree; r += 1) total[r] = (total[r] ?? 0) + time;
  }
  return total;
}
