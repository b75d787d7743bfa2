import type { Problem } from "./problem.js";

export function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

/** Group sizes that the problem's class permits, ascending. */
export function permittedDegrees(problem: Problem): readonly number[] {
  const { data_parallel: dataParallel, context_parallel: contextParallel, degrees } = problem;
  if (degrees === "local-or-all") return contextParallel === 1 ? [1] : [1, contextParallel];
  return powersUpTo(degrees === "pool" ? dataParallel * contextParallel : contextParallel);
}

function powersUpTo(largest: number): readonly number[] {
  const powers: number[] = [];
  for (let power = 1; power <= largest; power *= 2) powers.push(power);
  return powers;
}
