// Random numbers that Python repeats bit for bit (skrull_runtime/shuffle.py): 32-bit integer operations only.

/** 32-bit generator: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it). */
export type Random32 = () => number;

const rotateLeft = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0;

/** Finaliser of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * Generator of one stream.
 *
 * @param seed 0 to 2^53 - 1
 * @param stream such as an epoch: another one gives unrelated numbers
 */
export function random32(seed: number, stream: number): Random32 {
  const words = [
    seed % 2 ** 32,
    Math.floor(seed / 2 ** 32),
    stream % 2 ** 32,
    Math.floor(stream / 2 ** 32),
  ];
  let hash = 0x9e3779b9;
  const absorb = (word: number) => {
    hash = mix((hash + word + 0x9e3779b9) >>> 0);
    return hash;
  };
  for (const word of words) absorb(word);
  const state = [absorb(1), absorb(2), absorb(3), absorb(4)] as [number, number, number, number];
  if (state.every((word) => word === 0)) state[0] = 1;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(state[1], 5) >>> 0, 7), 9) >>> 0;
    const shifted = (state[1] << 9) >>> 0;
    state[2] = (state[2] ^ state[0]) >>> 0;
    state[3] = (state[3] ^ state[1]) >>> 0;
    state[1] = (state[1] ^ state[2]) >>> 0;
    state[0] = (state[0] ^ state[3]) >>> 0;
    state[2] = (state[2] ^ shifted) >>> 0;
    state[3] = rotateLeft(state[3], 11);
    return result;
  };
}

/**
 * Uniform integer from 0 to `bound - 1`; draws again where a remainder would favour small ones.
 *
 * @throws RangeError where there is no such integer, for which it would draw for ever
 */
export function randomBelow(random: Random32, bound: number): number {
  if (!(bound > 0)) throw new RangeError("nothing to draw from");
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = random();
    if (value < limit) return value % bound;
  }
}

/** Order of `count` samples in an epoch: Fisher and Yates. */
export function epochPermutation(count: number, seed: number, epoch: number): number[] {
  const random = random32(seed, epoch);
  const order = Array.from({ length: count }, (_, n) => n);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomBelow(random, last + 1);
    const kept = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}
