import { sum } from "../foundation/statistics.js";
import type { Policy, Problem, ScheduleError } from "../schedule/problem.js";
import { solve } from "../schedule/solve.js";
import { type Performance, performanceOf, type Solved } from "./performance.js";
import type { SchedulingPlan } from "./plan.js";
import { problemOf, sampleBatches } from "./sample.js";

/** What the schedules of the run's own first global batches come to, beside other policies on the same batches. */
export interface Forecast extends Performance {
  readonly sampled_batches: number;
  /** Mean step time of other policies over the chosen one's; `null` where one has no schedule. */
  readonly baselines: Readonly<Record<string, number | null>>;
}

export type ForecastResult =
  | { readonly ok: true; readonly forecast: Forecast }
  | { readonly ok: false; readonly error: ScheduleError; readonly sample: number };

const BASELINES: readonly Policy[] = ["deepspeed", "packed", "sorted", "skrull-paper"];

/** Schedules the first global batches that the run will train on. */
export function makeForecast(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  globalBatch: number,
  seed: number,
  iterations: number,
): ForecastResult {
  const solved: Solved[] = [];
  for (const batch of sampleBatches(lengths.length, globalBatch, seed)) {
    const own = batch.map((sample) => lengths[sample] ?? 0);
    const problem = problemOf(scheduling, own, iterations);
    const solution = solve(problem);
    if (!solution.ok) {
      const sample = batch[solution.error.sequence ?? 0] ?? 0;
      return { ok: false, error: solution.error, sample };
    }
    solved.push({ problem, schedule: solution.schedule });
  }
  const problems = solved.map(({ problem }) => problem);
  const total = sum(solved.map(({ schedule }) => schedule.iteration_time));
  const baselines = Object.fromEntries(
    BASELINES.map((policy) => [policy, relativeTime(policy, problems, total)]),
  );
  const forecast = { sampled_batches: solved.length, ...performanceOf(solved), baselines };
  return { ok: true, forecast };
}

function relativeTime(policy: Policy, problems: readonly Problem[], chosen: number): number | null {
  let total = 0;
  for (const problem of problems) {
    const solution = solve({ ...problem, policy, iterations: 0 });
    if (!solution.ok) return null;
    total += solution.schedule.iteration_time;
  }
  return total / chosen;
}
