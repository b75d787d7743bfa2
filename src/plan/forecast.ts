import { globalBatches } from "../foundation/random.js";
import { quantile, sum } from "../foundation/statistics.js";
import type { Policy, Problem, ScheduleError } from "../schedule/problem.js";
import type { Schedule } from "../schedule/schedule.js";
import { solve } from "../schedule/solve.js";
import type { SchedulingPlan } from "./plan.js";

export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly worst: number;
}

/** What the schedules of the run's own first global batches come to. Times in seconds, all modelled. */
export interface Forecast {
  readonly sampled_batches: number;
  readonly step_seconds: Spread;
  readonly tokens_per_second: number;
  readonly micro_batches: Spread;
  /** Share of tokens in sequences that are sharded. */
  readonly sharded_tokens: number;
  /** Sequences of these batches that are sharded, and all. */
  readonly sharded_sequences: number;
  readonly sequences: number;
  /** Mean of (time - lower bound) / lower bound. */
  readonly gap: number;
  /** Mean step time of other policies over the chosen one's; `null` where one has no schedule. */
  readonly baselines: Readonly<Record<string, number | null>>;
}

export type ForecastResult =
  | { readonly ok: true; readonly forecast: Forecast }
  | { readonly ok: false; readonly error: ScheduleError; readonly sample: number };

/** Batches that are scheduled to forecast: enough for a spread, few enough to answer at once. */
const SAMPLED_BATCHES = 24;
const BASELINES: readonly Policy[] = ["deepspeed", "packed", "sorted", "skrull-paper"];

/** Schedules the first global batches that the run will train on. */
export function makeForecast(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  globalBatch: number,
  seed: number,
  iterations: number,
): ForecastResult {
  const batches = globalBatches(lengths.length, globalBatch, seed, 0).slice(0, SAMPLED_BATCHES);
  const solved: { readonly problem: Problem; readonly schedule: Schedule }[] = [];
  for (const batch of batches) {
    const problem = problemOf(
      scheduling,
      batch.map((sample) => lengths[sample] ?? 0),
      iterations,
    );
    const solution = solve(problem);
    if (!solution.ok) {
      const sample = batch[solution.error.sequence ?? 0] ?? 0;
      return { ok: false, error: solution.error, sample };
    }
    solved.push({ problem, schedule: solution.schedule });
  }
  return { ok: true, forecast: summarise(solved) };
}

/** The scheduling problem of one global batch. */
export function problemOf(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  iterations: number,
): Problem {
  return { format_version: 1, ...scheduling, lengths, iterations, time_budget_ms: 0, seed: 0 };
}

function summarise(
  solved: readonly { readonly problem: Problem; readonly schedule: Schedule }[],
): Forecast {
  const seconds = solved.map(({ schedule }) => schedule.iteration_time / 1e6);
  let tokens = 0;
  let sharded = 0;
  let sequences = 0;
  let cut = 0;
  for (const { problem, schedule } of solved) {
    for (const { sequence, degree } of schedule.micro_batches.flatMap((m) => m.placements)) {
      const length = problem.lengths[sequence] ?? 0;
      tokens += length;
      sequences += 1;
      if (degree > 1) {
        sharded += length;
        cut += 1;
      }
    }
  }
  const total = sum(seconds);
  return {
    sampled_batches: solved.length,
    step_seconds: spread(seconds),
    tokens_per_second: tokens / total,
    micro_batches: spread(solved.map(({ schedule }) => schedule.micro_batches.length)),
    sharded_tokens: sharded / tokens,
    sharded_sequences: cut,
    sequences,
    gap: sum(solved.map(({ schedule }) => schedule.gap)) / solved.length,
    baselines: Object.fromEntries(
      BASELINES.map((policy) => [
        policy,
        relativeTime(
          policy,
          solved.map(({ problem }) => problem),
          total,
        ),
      ]),
    ),
  };
}

function relativeTime(policy: Policy, problems: readonly Problem[], chosen: number): number | null {
  let total = 0;
  for (const problem of problems) {
    const solution = solve({ ...problem, policy, iterations: 0 });
    if (!solution.ok) return null;
    total += solution.schedule.iteration_time / 1e6;
  }
  return total / chosen;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    mean: sum(values) / values.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    worst: quantile(sorted, 1),
  };
}
