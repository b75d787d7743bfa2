import { epochSamples, globalBatches, type Share } from "../foundation/global-batches.js";

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
): readonly number[][] {
  const asked = JSON.stringify([samples, globalBatch, seed, mixture]);
  if (last?.asked !== asked)
    last = {
      asked,
      batches: globalBatches(samples, globalBatch, seed, 0, mixture, SAMPLED_BATCHES),
    };
  return last.batches;
}

/** A plan asks for the same ones several times; millions of samples take a second to shuffle. */
let last: { readonly asked: string; readonly batches: readonly number[][] } | undefined;

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
  const sorted = sortedByLength(drawn, lengths);
  const count = Math.ceil(sorted.length / globalBatch);
  const chosen = Math.min(count, most);
  return Array.from({ length: chosen }, (_, n) => {
    const batch = chosen === 1 ? 0 : Math.round((n * (count - 1)) / (chosen - 1));
    return Array.from(sorted.subarray(batch * globalBatch, (batch + 1) * globalBatch));
  });
}

/** Samples, of which there may be millions, by length and then by number: counted, not compared. */
function sortedByLength(drawn: Uint32Array, lengths: readonly number[]): Uint32Array {
  const copies = new Uint32Array(lengths.length);
  for (const sample of drawn) copies[sample] = (copies[sample] as number) + 1;
  const starts = new Map<number, number>();
  for (const [sample, count] of copies.entries()) {
    const length = lengths[sample] as number;
    starts.set(length, (starts.get(length) ?? 0) + count);
  }
  let before = 0;
  for (const length of [...starts.keys()].sort((a, b) => a - b)) {
    const count = starts.get(length) as number;
    starts.set(length, before);
    before += count;
  }
  const sorted = new Uint32Array(drawn.length);
  for (const [sample, count] of copies.entries()) {
    const length = lengths[sample] as number;
    const start = starts.get(length) as number;
    sorted.fill(sample, start, start + count);
    starts.set(length, start + count);
  }
  return sorted;
}
