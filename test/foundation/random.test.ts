import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  epochPermutation,
  globalBatches,
  random32,
  randomBelow,
} from "../../src/foundation/random.js";
import vectors from "../vectors/shuffle.json" with { type: "json" };

describe("global batches", () => {
  it("equal the shared vectors", () => {
    for (const { count, size, seed, epoch, batches } of vectors) {
      expect(globalBatches(count, size, seed, epoch)).toEqual(batches);
    }
  });

  it("hold every sample exactly once, the last batch perhaps smaller", () => {
    const sizes = fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 50 }), fc.maxSafeNat(), fc.nat());
    fc.assert(
      fc.property(sizes, ([count, size, seed, epoch]) => {
        const batches = globalBatches(count, size, seed, epoch);
        expect(batches.flat().sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
        expect(batches.slice(0, -1).every((batch) => batch.length === size)).toBe(true);
      }),
    );
  });

  it("differ between epochs and seeds", () => {
    expect(epochPermutation(50, 1, 0)).not.toEqual(epochPermutation(50, 1, 1));
    expect(epochPermutation(50, 1, 0)).not.toEqual(epochPermutation(50, 2, 0));
  });
});

it("randomBelow is close to uniform", () => {
  const random = random32(5, 0);
  const counts = new Array<number>(7).fill(0);
  for (let n = 0; n < 70_000; n += 1) {
    const value = randomBelow(random, 7);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  // 10,000 each; a standard deviation is 93.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
});
