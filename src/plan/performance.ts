import { quantile, sum } from "../foundation/statistics.js";
import { CHECKPOINTING_WORDS, type Checkpointing } from "../foundation/vocabularies.generated.js";
import { type Breakdown, breakdown } from "../schedule/breakdown.js";
import { timeUnder } from "../schedule/evaluate.js";
import type { Problem } from "../schedule/problem.js";
import type { Schedule } from "../schedule/schedule.js";
import type { Workload } from "../schedule/workload.js";

export interface Spread {
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly worst: number;
}

/** Sequences that groups of one size hold. */
export interface DegreeShare {
  readonly degree: number;
  readonly sequences: number;
  /** Share of all tokens. */
  readonly tokens: number;
}

/** Micro-batches that recompute alike. */
export interface RecomputationShare {
  readonly checkpointing: Checkpointing;
  /** Share of all micro-batches. */
  readonly micro_batches: number;
  /** Share of all tokens. */
  readonly tokens: number;
}

/** In seconds; `step` is what comes once a step: the optimizer, and ZeRO's communication. */
export interface StepParts extends Breakdown {
  readonly step: number;
}

/** What schedules of some global batches come to. Times in seconds, all modelled. */
export interface Performance {
  readonly step_seconds: Spread;
  /** Mean over steps of the average rank's time, by what it goes to; adds up to the mean step. */
  readonly parts: StepParts;
  readonly tokens_per_second: number;
  readonly micro_batches: Spread;
  /** Degree 1 is local. Ascending. */
  readonly degrees: readonly DegreeShare[];
  /** What micro-batches recompute, least first; empty where all do the same. */
  readonly recomputation: readonly RecomputationShare[];
  /** Mean of (time - lower bound) / lower bound, of the scheduling problem. */
  readonly gap: number;
}

/** What a micro-batch recomputes, and the costs that it is timed by. */
export interface Way {
  readonly checkpointing: Checkpointing;
  readonly workload: Workload;
}

export interface Solved {
  readonly problem: Problem;
  readonly schedule: Schedule;
  /** Of each micro-batch; absent where all run as the problem says. */
  readonly ways?: readonly Way[];
}

/**
 * Sums up schedules; there must be at least one.
 *
 * @param stepOverhead what a step takes besides its micro-batches, in seconds
 */
export function performanceOf(solved: readonly Solved[], stepOverhead: number): Performance {
  const seconds = solved.map((one) => timeOf(one) / 1e6 + stepOverhead);
  const tokens = sum(solved.map(({ problem }) => sum(problem.lengths)));
  return {
    step_seconds: spread(seconds),
    parts: { ...meanParts(solved), step: stepOverhead },
    tokens_per_second: tokens / sum(seconds),
    micro_batches: spread(solved.map(({ schedule }) => schedule.micro_batches.length)),
    degrees: degreeShares(solved, tokens),
    recomputation: recomputationShares(solved, tokens),
    gap: sum(solved.map(({ schedule }) => schedule.gap)) / solved.length,
  };
}

const timingOf = ({ ways }: Solved) => ways?.map(({ workload }) => workload);

function timeOf(solved: Solved): number {
  const timing = timingOf(solved);
  const { iteration_time: time, micro_batches: microBatches } = solved.schedule;
  return timing ? timeUnder(microBatches, timing) : time;
}

function meanParts(solved: readonly Solved[]): Breakdown {
  const parts = solved.map((one) => breakdown(one.schedule, one.problem, timingOf(one)));
  const mean = (key: keyof Breakdown) => sum(parts.map((part) => part[key])) / parts.length / 1e6;
  return {
    work: mean("work"),
    communication: mean("communication"),
    fixed: mean("fixed"),
    stalled: mean("stalled"),
    waiting: mean("waiting"),
  };
}

function degreeShares(solved: readonly Solved[], allTokens: number): readonly DegreeShare[] {
  const found = new Map<number, { sequences: number; tokens: number }>();
  for (const { problem, schedule } of solved) {
    for (const { sequence, degree } of schedule.micro_batches.flatMap((m) => m.placements)) {
      const share = found.get(degree) ?? { sequences: 0, tokens: 0 };
      share.sequences += 1;
      share.tokens += problem.lengths[sequence] as number;
      found.set(degree, share);
    }
  }
  return [...found]
    .sort(([a], [b]) => a - b)
    .map(([degree, { sequences, tokens }]) => ({ degree, sequences, tokens: tokens / allTokens }));
}

function recomputationShares(
  solved: readonly Solved[],
  allTokens: number,
): readonly RecomputationShare[] {
  const found = new Map<Checkpointing, { microBatches: number; tokens: number }>();
  let all = 0;
  for (const { problem, schedule, ways = [] } of solved) {
    for (const [index, { checkpointing }] of ways.entries()) {
      const share = found.get(checkpointing) ?? { microBatches: 0, tokens: 0 };
      share.microBatches += 1;
      for (const { sequence } of schedule.micro_batches[index]?.placements ?? [])
        share.tokens += problem.lengths[sequence] as number;
      found.set(checkpointing, share);
      all += 1;
    }
  }
  return CHECKPOINTING_WORDS.flatMap((checkpointing) => {
    const share = found.get(checkpointing);
    if (!share) return [];
    return [
      { checkpointing, micro_batches: share.microBatches / all, tokens: share.tokens / allTokens },
    ];
  });
}

/** Mean, median, 95th percentile and largest of values. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    mean: sum(values) / values.length,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    worst: quantile(sorted, 1),
  };
}
