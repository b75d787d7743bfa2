import type { Problem } from "./problem.js";

/** All ranks of the machine. */
export const rankCount = (problem: Pick<Problem, "data_parallel" | "context_parallel">): number =>
  problem.data_parallel * problem.context_parallel;

/** Degrees of the problem's class, ascending, whether or not their cost is known. */
export function degreesOfClass(
  problem: Pick<Problem, "data_parallel" | "context_parallel" | "degrees">,
): readonly number[] {
  const { degrees, context_parallel: context } = problem;
  if (degrees === "local-or-all") return context === 1 ? [1] : [1, context];
  const largest = degrees === "pool" ? rankCount(problem) : context;
  const found: number[] = [];
  for (let degree = 1; degree <= largest; degree *= 2) found.push(degree);
  return found;
}

/**
 * The problem without the data-parallel ranks that stay empty whatever the policy: those beyond one for every
 * sequence. Placements and times are the same, but a pool would have fewer ranks to form groups of.
 */
export function withoutIdleRanks(problem: Problem): Problem {
  const needed = Math.max(1, problem.lengths.length);
  if (problem.data_parallel <= needed) return problem;
  return { ...problem, data_parallel: needed };
}

/**
 * The largest group that a problem's policy gives a sequence: of its class, but policies other than `auto` know no
 * group wider than the context-parallel one.
 */
export function widestGroup(
  problem: Pick<Problem, "data_parallel" | "context_parallel" | "degrees" | "policy">,
): number {
  if (problem.policy !== "auto") return problem.context_parallel;
  return degreesOfClass(problem).at(-1) ?? 1;
}

/** Whether a degree has a cost: degree 1 never communicates. */
export function isAvailable(degree: number, problem: Problem): boolean {
  return degree === 1 || problem.cost.comm[degree] !== undefined;
}
