import type { Problem } from "../schedule/problem.js";

/** The contract's scheduling problem without its lengths and its search budget. */
export type SchedulingPlan = Omit<
  Problem,
  "format_version" | "lengths" | "iterations" | "time_budget_ms" | "seed"
>;

/** The scheduling problem of one global batch. */
export function problemOf(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  iterations: number,
): Problem {
  return { format_version: 1, ...scheduling, lengths, iterations, time_budget_ms: 0, seed: 0 };
}
