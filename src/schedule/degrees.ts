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

/** Whether a degree has a cost: degree 1 never communicates. */
export function isAvailable(degree: number, problem: Problem): boolean {
  return degree === 1 || problem.cost.comm[degree] !== undefined;
}
