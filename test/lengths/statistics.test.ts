import { describe, expect, it } from "vitest";
import { quantile, sum } from "../../src/foundation/statistics.js";
import { histogram, lengthStatistics } from "../../src/lengths/statistics.js";

const TO_100 = Array.from({ length: 100 }, (_, n) => n + 1);
const TO_20 = TO_100.slice(0, 20);

describe("quantile", () => {
  it("is the value at the nearest rank", () => {
    expect([0, 0.01, 0.011, 0.5, 0.95, 0.99, 1].map((share) => quantile(TO_100, share))).toEqual([
      1, 1, 2, 50, 95, 99, 100,
    ]);
    expect([0.5, 0.9, 0.95, 0.96].map((share) => quantile(TO_20, share))).toEqual([10, 18, 19, 20]);
  });

  it("of one value is that, and of none 0", () => {
    expect([0, 0.5, 1].map((share) => quantile([7], share))).toEqual([7, 7, 7]);
    expect(quantile([], 0.5)).toBe(0);
  });
});

describe("sum", () => {
  it("adds in order", () => {
    expect(sum([1, 2, 4])).toBe(7);
    expect(sum([])).toBe(0);
    expect(sum([1e16, 1, -1e16])).toBe(0);
  });
});

describe("length statistics", () => {
  it("are of lengths in any order", () => {
    const statistics = lengthStatistics([...TO_100].reverse(), [3, 4]);
    expect(statistics).toMatchObject({ samples: 100, tokens: 5050, supervised_tokens: 7 });
    expect(statistics).toMatchObject({ median: 50, p90: 90, p99: 99, longest: 100 });
  });

  it("count samples below a threshold, not at it", () => {
    const lengths = [1023, 1024, 4095, 4096, 8191, 8192, 32767, 32768, 131071, 131072];
    expect(lengthStatistics(lengths, []).share_below).toEqual({
      1024: 0.1,
      4096: 0.3,
      8192: 0.5,
      32768: 0.7,
      131072: 0.9,
    });
  });

  it("of nothing are zeros", () => {
    const statistics = lengthStatistics([], []);
    expect(statistics).toMatchObject({ samples: 0, tokens: 0, median: 0, longest: 0 });
    expect(statistics.share_below["1024"]).toBe(0);
  });
});

describe("a histogram", () => {
  it("has rows from the first power of two to the last, those between them empty", () => {
    expect(histogram([3, 4, 5, 33, 64, 65])).toEqual([
      { up_to: 4, samples: 2, tokens: 7 },
      { up_to: 8, samples: 1, tokens: 5 },
      { up_to: 16, samples: 0, tokens: 0 },
      { up_to: 32, samples: 0, tokens: 0 },
      { up_to: 64, samples: 2, tokens: 97 },
      { up_to: 128, samples: 1, tokens: 65 },
    ]);
  });

  it("begins at one token, and takes none for one", () => {
    expect(histogram([1, 2, 0])).toEqual([
      { up_to: 1, samples: 2, tokens: 1 },
      { up_to: 2, samples: 1, tokens: 2 },
    ]);
    expect(histogram([])).toEqual([]);
  });
});
