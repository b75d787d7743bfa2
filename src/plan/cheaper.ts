import { type Changes, countOfChanges } from "./changes.js";
import type { FinishPlan } from "./plan.js";
import type { Tuned } from "./tune.js";
import { withinBand } from "./within-band.js";

/** Changes of a spec with which its run takes fewer GPU-hours. */
export interface Saving {
  readonly changes: Changes;
  /** Of the run with them. */
  readonly gpu_hours: number;
  readonly cost: number | null;
  readonly seconds: number;
  /** Share of the spec's GPU-hours that is saved. */
  readonly saved: number;
  /** Seconds over the spec's. */
  readonly time_ratio: number;
  /** Whether the predictions are too near each other to be told apart. */
  readonly within_band: boolean;
}

const MOST = 3;
/** What counts as cheaper. */
const CHEAPER = 0.98;

/**
 * What would make a run cheaper, the most that each number of changes saves: one change, and more where they save more;
 * and fewer machines. Only what trains the same.
 */
export function savings({ settings, fewer, relativeBand }: Tuned): readonly Saving[] {
  const now = settings.find(({ current }) => current)?.finish;
  if (!now) return [];
  const best = new Map<number, Candidate>();
  for (const { same, finish, changes } of settings) {
    if (!same || !finish) continue;
    const count = countOfChanges(changes);
    const known = best.get(count);
    if (!known || finish.gpu_hours < known.finish.gpu_hours) best.set(count, { changes, finish });
  }
  const found: Candidate[] = [];
  let least = now.gpu_hours;
  for (const count of [...best.keys()].sort((a, b) => a - b)) {
    const candidate = best.get(count) as Candidate;
    if (count === 0 || candidate.finish.gpu_hours > CHEAPER * least) continue;
    least = candidate.finish.gpu_hours;
    found.push(candidate);
  }
  const halved = fewer && fewer.finish.gpu_hours <= CHEAPER * now.gpu_hours ? [fewer] : [];
  const shown = [...found.slice(0, MOST - halved.length), ...halved];
  return shown.map((candidate) => savingOf(candidate, now, relativeBand));
}

interface Candidate {
  readonly changes: Changes;
  readonly finish: FinishPlan;
}

function savingOf({ changes, finish }: Candidate, now: FinishPlan, band: number): Saving {
  const { gpu_hours, cost, seconds } = finish;
  return {
    ...{ changes, gpu_hours, cost, seconds },
    saved: 1 - gpu_hours / now.gpu_hours,
    time_ratio: seconds / now.seconds,
    within_band: withinBand(gpu_hours, now.gpu_hours, band),
  };
}
