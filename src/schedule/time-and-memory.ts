import type { Problem } from "./problem.js";

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
 * Time of a micro-batch, us, by that of its slowest rank: starting its kernels, and communication that runs beside the
 * work, hold it up only where they take longer than the work.
 */
export const microBatchTime = (slowest: number, { cost }: Problem): number =>
  Math.max(cost.least, slowest) + cost.fixed;

/** Tokens that a sequence takes on each rank of its group, zigzag padding included. */
export const shardTokens = (length: number, degree: number): number =>
  degree === 1 ? length : 2 * Math.ceil(length / (2 * degree));

/**
 * Memory of a shard in units of 1/N token, N the context-parallel degree: whole numbers, so that a micro-batch
 * that is exactly full is recognised as such.
 */
export function shardUnits(length: number, degree: number, problem: Problem): number {
  const { context_parallel: unit, padding } = problem;
  if (degree === 1) return length * unit;
  if (padding === "zigzag") return shardTokens(length, degree) * unit;
  return (length * unit) / degree;
}

/** Capacity of a rank in the units of {@link shardUnits}; more than all tokens together is no different. */
export function bucketUnits(problem: Problem): number {
  return Math.min(problem.bucket * problem.context_parallel, Number.MAX_SAFE_INTEGER);
}
