import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { epochSize, globalBatches, type Share } from "../../src/foundation/global-batches.js";
import { epochPermutation, random32, randomBelow } from "../../src/foundation/random.js";
import vectors from "../vectors/shuffle.json" with { type: "json" };

describe("global batches", () => {
  it("equal the shared vectors", () => {
    for (const { count, size, seed, epoch, batches, mixture = [] } of vectors) {
      const shares = mixture.map(([samples = 0, draws = 0]): Share => ({ samples, draws }));
      expect(globalBatches(count, size, seed, epoch, shares)).toEqual(batches);
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

  it("of a mixture draw every sample of a share as often as any other, within one", () => {
    const share = fc.record({ samples: fc.nat(12), draws: fc.nat(40) });
    const mixtures = fc.array(share, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(mixtures, fc.maxSafeNat(), fc.integer({ min: 1, max: 6 }), (shares, seed, n) => {
        const mixture = shares.map(({ samples, draws }) => ({
          samples,
          draws: samples === 0 ? 0 : draws,
        }));
        const count = mixture.reduce((sum, { samples }) => sum + samples, 0);
        const times = new Array<number>(count).fill(0);
        for (let epoch = 0; epoch < n; epoch += 1) {
          const drawn = globalBatches(count, 5, seed, epoch, mixture).flat();
          expect(drawn.length).toBe(epochSize(count, mixture));
          for (const sample of drawn) times[sample] = (times[sample] ?? 0) + 1;
        }
        let first = 0;
        for (const { samples, draws } of mixture) {
          const own = times.slice(first, first + samples);
          for (const time of own) expect(Math.abs(time - (n * draws) / samples)).toBeLessThan(1);
          first += samples;
        }
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
