import { FIRST_SHARE_STREAM } from "./limits.generated.js";
import { epochPermutation, naturalOrder } from "./random.js";

/** Samples that lie side by side, and how many times an epoch draws one of them. */
export interface Share {
  readonly samples: number;
  readonly draws: number;
}

/** Samples of an epoch, with repetitions, before they are shuffled: every one once where there are no shares. */
export function epochSamples(
  count: number,
  seed: number,
  epoch: number,
  mixture: readonly Share[],
): Uint32Array {
  if (mixture.length === 0) return naturalOrder(count);
  const drawn = new Uint32Array(epochSize(count, mixture));
  let at = 0;
  let first = 0;
  for (const [n, { samples, draws }] of mixture.entries()) {
    for (let copy = 1; copy <= wholeCopies(samples, draws); copy += 1)
      for (let sample = 0; sample < samples; sample += 1, at += 1) drawn[at] = first + sample;
    const order = samples === 0 ? [] : epochPermutation(samples, seed, FIRST_SHARE_STREAM + n);
    for (const sample of window(order, draws, epoch)) {
      drawn[at] = first + sample;
      at += 1;
    }
    first += samples;
  }
  return drawn;
}

const wholeCopies = (samples: number, draws: number) =>
  samples === 0 ? 0 : Math.floor(draws / samples);

/**
 * What remains of the draws beside whole copies: epoch by epoch the next stretch of one order, so that no sample is
 * ever more than one draw ahead of another.
 */
function window(order: ArrayLike<number>, draws: number, epoch: number): readonly number[] {
  const length = order.length;
  const rest = length === 0 ? 0 : draws % length;
  const start = length === 0 ? 0 : (epoch * rest) % length;
  return Array.from({ length: rest }, (_, n) => order[(start + n) % length] as number);
}

/** Samples that an epoch trains, repetitions counted. */
export function epochSize(count: number, mixture: readonly Share[]): number {
  return mixture.length === 0 ? count : mixture.reduce((sum, { draws }) => sum + draws, 0);
}

/**
 * Global batches of an epoch, as sample indices. They depend on the samples, size, seed and epoch only, never on the
 * topology. The last may be smaller.
 *
 * @param most batches from the first that are wanted
 */
export function globalBatches(
  count: number,
  size: number,
  seed: number,
  epoch: number,
  mixture: readonly Share[] = [],
  most = Number.POSITIVE_INFINITY,
): number[][] {
  const drawn = mixture.length === 0 ? undefined : epochSamples(count, seed, epoch, mixture);
  const order = epochPermutation(drawn?.length ?? count, seed, epoch);
  const batches: number[][] = [];
  for (let start = 0; start < order.length && batches.length < most; start += size) {
    const places = Array.from(order.subarray(start, start + size));
    batches.push(drawn ? places.map((place) => drawn[place] as number) : places);
  }
  return batches;
}
