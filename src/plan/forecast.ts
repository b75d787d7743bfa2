import type { Share } from "../foundation/global-batches.js";
import { rankCount } from "../schedule/degrees.js";
import type { Policy, Problem, ScheduleError } from "../schedule/problem.js";
import { type Solution, solve } from "../schedule/solve.js";
import { type LighterMode, withWays } from "./lighter.js";
import { type Performance, performanceOf, type Solved } from "./performance.js";
import { sampleBatches, sampledOver } from "./sample.js";
import { problemOf, type SchedulingPlan } from "./scheduling-problem.js";

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

export interface ForecastSetting {
  readonly globalBatch: number;
  readonly seed: number;
  readonly mixture: readonly Share[];
  /** Refinement moves per batch. */
  readonly iterations: number;
  /** What every step takes besides its schedule, in seconds. */
  readonly stepOverhead: number;
  /** Ways to recompute less. */
  readonly lighter: readonly LighterMode[];
}

export type SolvedBatches =
  | { readonly ok: true; readonly solved: readonly Solved[] }
  | { readonly ok: false; readonly error: ScheduleError; readonly sample: number };

/** Schedules the first global batches that the run will train on. */
export function makeForecast(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  { globalBatch, seed, mixture, iterations, stepOverhead, lighter }: ForecastSetting,
): ForecastResult {
  const batches = sampleBatches(lengths.length, globalBatch, seed, mixture).slice(
    0,
    sampledOver(rankCount(scheduling)),
  );
  const found = solveBatches(scheduling, batches, lengths, iterations, lighter);
  if (!found.ok) return found;
  const performance = performanceOf(found.solved, stepOverhead);
  const meanOf = (policy: Policy): number | null => {
    const other = solveBatches({ ...scheduling, policy }, batches, lengths, 0, lighter);
    if (!other.ok) return null;
    return (
      performanceOf(other.solved, stepOverhead).step_seconds.mean / performance.step_seconds.mean
    );
  };
  const baselines = Object.fromEntries(BASELINES.map((policy) => [policy, meanOf(policy)]));
  return { ok: true, forecast: { sampled_batches: batches.length, ...performance, baselines } };
}

/** Schedules of global batches, given as sample numbers. @param solver who makes them */
export function solveBatches(
  scheduling: SchedulingPlan,
  batches: readonly (readonly number[])[],
  lengths: readonly number[],
  iterations: number,
  lighter: readonly LighterMode[] = [],
  solver: (problem: Problem) => Solution = solve,
): SolvedBatches {
  const solved: Solved[] = [];
  for (const batch of batches) {
    const own = batch.map((sample) => lengths[sample] as number);
    const problem = problemOf(scheduling, own, iterations);
    const solution = solver(problem);
    if (!solution.ok) {
      const sample = batch[solution.error.sequence ?? 0] as number;
      return { ok: false, error: solution.error, sample };
    }
    solved.push({ problem, ...withWays(solution.schedule, problem, lighter) });
  }
  return { ok: true, solved };
}
