import { MOST_TOKEN_RANKS } from "../foundation/limits.generated.js";
import { degreesOfClass, rankCount, withoutIdleRanks } from "./degrees.js";
import { iterationTime } from "./evaluate.js";
import { lowerBound } from "./lower-bound.js";
import { auto } from "./policies/auto.js";
import { POLICIES } from "./policies/index.js";
import { Infeasible, type Problem, type ScheduleError } from "./problem.js";
import { type Assignment, type Schedule, toMicroBatches } from "./schedule.js";
import type { Clock } from "./search/budget.js";
import { bucketUnits, shardUnits } from "./time-and-memory.js";
import { verifySchedule } from "./verify.js";

export type Solution =
  | { readonly ok: true; readonly schedule: Schedule }
  | { readonly ok: false; readonly error: ScheduleError };

/**
 * Solves a scheduling problem under its policy. Deterministic, but for a budget by the clock.
 *
 * @param clock ms; without one, `time_budget_ms` is not used
 * @throws Error where a policy returns an unsound schedule: our fault, and never a wrong schedule
 */
export function solve(problem: Problem, clock?: Clock): Solution {
  const { policy } = problem;
  return solveBy(problem, () =>
    policy === "auto" ? auto(problem, clock) : POLICIES[policy](withoutIdleRanks(problem)),
  );
}

/** As {@link solve}, with what makes the schedule. @param make may throw Infeasible */
export function solveBy(problem: Problem, make: () => Assignment): Solution {
  const error = tooLong(problem) ?? tooManyTokens(problem);
  if (error) return { ok: false, error };
  try {
    const microBatches = toMicroBatches(make());
    const problems = verifySchedule(problem, microBatches);
    if (problems.length > 0) throw new Error(`unsound schedule: ${problems.join("; ")}`);
    return { ok: true, schedule: finish(microBatches, problem) };
  } catch (found) {
    if (found instanceof Infeasible) return { ok: false, error: found.reason };
    throw found;
  }
}

function finish(microBatches: Schedule["micro_batches"], problem: Problem): Schedule {
  const time = iterationTime(microBatches, problem);
  // The bound is below every schedule; only its rounding may not be.
  const bound = Math.min(lowerBound(problem), time);
  return {
    format_version: 1,
    policy: problem.policy,
    degrees: problem.degrees,
    objective: problem.objective,
    micro_batches: microBatches,
    iteration_time: time,
    lower_bound: bound,
    gap: bound > 0 ? (time - bound) / bound : 0,
  };
}

function tooLong(problem: Problem): ScheduleError | undefined {
  const degree = degreesOfClass(problem).at(-1) ?? 1;
  for (const [sequence, length] of problem.lengths.entries()) {
    // The first comparison is safe for lengths of any size, and padding only adds to it.
    const fits = length <= problem.bucket * degree;
    if (fits && shardUnits(length, degree, problem) <= bucketUnits(problem)) continue;
    const message = `sequence ${sequence} of ${length} tokens does not fit ${degree} ranks of ${problem.bucket} tokens`;
    return { code: "sequence-too-long", message, sequence };
  }
  return undefined;
}

function tooManyTokens(problem: Problem): ScheduleError | undefined {
  let tokens = 0;
  for (const length of problem.lengths) tokens += length;
  if (tokens * rankCount(problem) <= MOST_TOKEN_RANKS) return undefined;
  const message = `tokens times ranks are more than ${MOST_TOKEN_RANKS}`;
  return { code: "invalid-problem", message, path: "/lengths" };
}
