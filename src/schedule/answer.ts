import { parseProblem } from "./parse-problem.js";
import type { ScheduleError } from "./problem.js";
import type { Schedule } from "./schedule.js";
import type { Clock } from "./search/budget.js";
import { solve } from "./solve.js";

/** The contract's answer to a problem, or its error document. */
export type Answer = Schedule | { readonly format_version: 1; readonly error: ScheduleError };

/** Answers a problem given as parsed JSON, whatever it is. */
export function answerProblem(json: unknown, clock?: Clock): Answer {
  const parsed = parseProblem(json);
  if (!parsed.ok) return { format_version: 1, error: parsed.error };
  const solution = solve(parsed.problem, clock);
  return solution.ok ? solution.schedule : { format_version: 1, error: solution.error };
}
