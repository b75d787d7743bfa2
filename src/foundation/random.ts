// Random numbers that Python repeats bit for bit (skrull_runtime/batches/shuffle.py): 32-bit integer operations only.

/** 32-bit generator: xoshiro128** (Blackman and Vigna, https://prng.di.unimi.it). */
export type Random32 = () => number;

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
  // Signed: numbers of 32 bits with a sign are the ones that engines keep as they are.
  let [a, b, c, d] = [absorb(1) | 0, absorb(2) | 0, absorb(3) | 0, absorb(4) | 0];
  if ((a | b | c | d) === 0) a = 1;
  return () => {
    const product = Math.imul(b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
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
  for (;;) {
    const value = random();
    // The remainder that favours small ones is less than the bound: mostly there is no need to work it out.
    if (value < 2 ** 32 - bound || value < 2 ** 32 - (2 ** 32 % bound)) return value % bound;
  }
}

/** Order of `count` samples in an epoch: Fisher and Yates. */
export function epochPermutation(count: number, seed: number, epoch: number): Uint32Array {
  const random = random32(seed, epoch);
  const order = naturalOrder(count);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomBelow(random, last + 1);
    const kept = order[last] as number;
    order[last] = order[other] as number;
    order[other] = kept;
  }
  return order;
}

/** The numbers from 0 to `count - 1`. */
export function naturalOrder(count: number): Uint32Array {
  const order = new Uint32Array(count);
  for (let n = 0; n < count; n += 1) order[n] = n;
  return order;
}
