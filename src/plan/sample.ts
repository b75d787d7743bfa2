import { epochSamples, globalBatches, type Share } from "../foundation/global-batches.js";
import type { Problem } from "../schedule/problem.js";
import type { SchedulingPlan } from "./plan.js";

/** Batches that are scheduled to forecast: enough for a spread, few enough to answer at once. */
export const SAMPLED_BATCHES = 24;

/** Ranks up to which that many are scheduled: a schedule takes longer the more ranks it is over. */
const RANKS_IN_FULL = 4096;

/** Batches that are scheduled to forecast over so many ranks; at least one. */
export function sampledOver(ranks: number, most = SAMPLED_BATCHES): number {
  return Math.max(1, Math.min(most, Math.floor((most * RANKS_IN_FULL) / ranks)));
}

/** The first global batches that the run will train on, as sample numbers. */
export function sampleBatches(
  samples: number,
  globalBatch: number,
  seed: number,
  mixture: readonly Share[],
): number[][] {
  return globalBatches(samples, globalBatch, seed, 0, mixture).slice(0, SAMPLED_BATCHES);
}

/**
 * LongAlign's sorted batching: global batches of neighbours in the data sorted by length, evenly spaced here. They
 * are other batches than a shuffle's, and differ in tokens: only tokens per second compare.
 */
export function neighbourBatches(
  lengths: readonly number[],
  globalBatch: number,
  seed: number,
  mixture: readonly Share[],
  most: number,
): number[][] {
  const drawn = epochSamples(lengths.length, seed, 0, mixture);
  const sorted = drawn.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const count = Math.ceil(sorted.length / globalBatch);
  const chosen = Math.min(count, most);
  return Array.from({ length: chosen }, (_, n) => {
    const batch = chosen === 1 ? 0 : Math.round((n * (count - 1)) / (chosen - 1));
    return sorted.slice(batch * globalBatch, (batch + 1) * globalBatch);
  });
}

/** The scheduling problem of one global batch. */
export function problemOf(
  scheduling: SchedulingPlan,
  lengths: readonly number[],
  iterations: number,
): Problem {
  return { format_version: 1, ...scheduling, lengths, iterations, time_budget_ms: 0, seed: 0 };
}
