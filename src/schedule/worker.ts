import type { Problem } from "./problem.js";
import { type Solution, solve } from "./solve.js";

/** What a worker thread runs: one problem to its solution, both plain data. */
export default function solveInWorker(problem: Problem): Solution {
  return solve(problem);
}
