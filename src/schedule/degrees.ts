import type { Problem } from "./problem.js";

/** All ranks of the machine. */
export const rankCount = (problem: Problem): number =>
  problem.data_parallel * problem.context_parallel;

/** Whether a class is of powers of two, and so needs the sizes it is built on to be. */
export function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

/** Degrees of the problem's class, ascending, whether or not their cost is known. */
export function degreesOfClass(problem: Problem): readonly number[] {
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
