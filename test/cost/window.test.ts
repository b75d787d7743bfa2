import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CAUSAL, pairsInWindow, windowPairs } from "../../src/cost/window.js";

describe("pairs in a window", () => {
  it("are what every token sees, the window at most, token by token", () => {
    for (const [window, tokens] of [
      [4, 3],
      [4, 4],
      [4, 5],
      [1, 9],
      [7, 40],
    ] as const) {
      let pairs = 0;
      // A token is half-way through itself: the diagonal counts half.
      for (let at = 0.5; at < tokens; at += 1) pairs += Math.min(at, window);
      // One token is partly within the window's width.
      expect(Math.abs(pairsInWindow(window, tokens) - pairs)).toBeLessThanOrEqual(1 / 8);
    }
    expect(pairsInWindow(4, 4)).toBe(8);
    expect(pairsInWindow(4, 10)).toBe(32);
  });
});

describe("the quadratic of a window", () => {
  it("is a band for lengths far beyond it", () => {
    const { perToken, perTokenSquared } = windowPairs(1000, [50_000, 60_000, 100_000]);
    expect(perToken / 1000).toBeCloseTo(1, 1);
    expect(perTokenSquared * 100_000).toBeLessThan(50);
  });

  it("is better than no cost at all over lengths of any mix, and never negative", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 50_000 }), (own, window) => {
        const { perToken, perTokenSquared } = windowPairs(window, own);
        expect(perToken).toBeGreaterThanOrEqual(0);
        expect(perTokenSquared).toBeGreaterThanOrEqual(0);
        let squares = 0;
        for (const tokens of own) {
          const exact = pairsInWindow(window, tokens);
          squares += ((perToken * tokens + perTokenSquared * tokens * tokens) / exact - 1) ** 2;
        }
        expect(squares).toBeLessThan(own.length);
        if (new Set(own).size === 1) expect(squares).toBeCloseTo(0, 6);
      }),
    );
  });

  it("is exact for two lengths beyond it", () => {
    const { perToken, perTokenSquared } = windowPairs(4, [1000, 2000]);
    expect(perToken).toBeCloseTo(3.988, 9);
    expect(perTokenSquared).toBeCloseTo(0.000004, 12);
  });

  it("is the whole square where no length is beyond it", () => {
    expect(windowPairs(10, [10, 3])).toBe(CAUSAL);
    expect(windowPairs(10, [])).toBe(CAUSAL);
    expect(windowPairs(10, [11, 3])).not.toEqual(CAUSAL);
    expect(CAUSAL).toEqual({ perToken: 0, perTokenSquared: 0.5 });
  });

  it("is one term alone, as good as the other, where all lengths are one", () => {
    for (let tokens = 5; tokens < 300; tokens += 1) {
      const { perToken, perTokenSquared } = windowPairs(4, [tokens, tokens]);
      expect(perToken * tokens + perTokenSquared * tokens ** 2).toBeCloseTo(4 * tokens - 8, 9);
      expect(perToken * perTokenSquared).toBe(0);
    }
  });

  it("has no term that is better larger or smaller, unless it would be negative", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 1000 }), (own, window) => {
        fc.pre(own.some((tokens) => tokens > window));
        const { perToken, perTokenSquared } = windowPairs(window, own);
        let [linear, square, [of1, of2]] = [0, 0, [0, 0]];
        for (const tokens of own) {
          const exact = tokens <= window ? tokens ** 2 / 2 : window * (tokens - window / 2);
          const [x, z] = [tokens / exact, tokens ** 2 / exact];
          const error = perToken * x + perTokenSquared * z - 1;
          linear += error * x;
          square += error * z;
          of1 += x;
          of2 += z;
        }
        // Slopes of the squared errors, as shares of what they are made of.
        const slopes = [linear / of1, square / of2];
        const terms = [perToken, perTokenSquared];
        expect(Math.min(...terms)).toBeGreaterThanOrEqual(0);
        for (const [n, slope] of slopes.entries()) {
          if ((terms[n] as number) > 0) expect(Math.abs(slope)).toBeLessThan(1e-4);
          else expect(slope).toBeGreaterThan(-1e-4);
        }
      }),
      { seed: 5 },
    );
  });
});
