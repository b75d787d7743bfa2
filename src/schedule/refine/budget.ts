import type { Problem } from "../problem.js";

/** A clock, ms; from wherever the caller gets the time. */
export type Clock = () => number;

/** How long a search may go on: by moves, which repeats exactly, by the clock, or by whichever ends first. */
export interface Budget {
  /** Share of the budget that is used up, 0 to 1, after a number of moves. */
  readonly used: (moves: number) => number;
}

/** Moves between looks at the clock. */
const MOVES_PER_LOOK = 8;

/** Whether a problem asks for refinement. A budget by the clock needs one. */
export function hasBudget(problem: Problem, clock: Clock | undefined): boolean {
  return problem.iterations > 0 || (problem.time_budget_ms > 0 && clock !== undefined);
}

/**
 * The budget of one search.
 *
 * @param share of the time that this search may take; it gets all the moves
 */
export function budgetOf(problem: Problem, share: number, clock: Clock | undefined): Budget {
  const { iterations, time_budget_ms: ms } = problem;
  const byMoves = (moves: number) => (iterations > 0 ? moves / iterations : 0);
  if (ms === 0 || clock === undefined) return { used: byMoves };
  const start = clock();
  let elapsed = 0;
  return {
    used: (moves) => {
      if (moves % MOVES_PER_LOOK === 0) elapsed = clock() - start;
      return Math.max(byMoves(moves), elapsed / (ms * share));
    },
  };
}
