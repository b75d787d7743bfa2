import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketFor } from "../../src/cost/bucket.js";
import { memoryModel, type ZeroStage } from "../../src/cost/memory.js";
import { type MemoryModel, peakBytes } from "../../src/cost/memory-model.js";
import { MEMORY, SMALL } from "./small-shape.js";

const NOTHING: MemoryModel = { fixed: [], perToken: [], host: [], hostPerToken: [] };
const LINEAR: MemoryModel = {
  ...NOTHING,
  fixed: [{ id: "weights", name: "", bytes: 1000 }],
  perToken: [{ id: "activations", name: "", bytes: 10 }],
};

/** The bucket by looking at every number of tokens in turn. */
function byHand(model: MemoryModel, budget: number): number {
  let tokens = 0;
  while (peakBytes(model, tokens + 1) <= budget) tokens += 1;
  return Math.max(0, tokens - 1);
}

describe("the bucket", () => {
  it("is what the budget leaves, but for one token", () => {
    expect(bucketFor(LINEAR, 1500)).toEqual({ tokens: 49, room: 500 });
    expect(bucketFor(LINEAR, 1499)).toEqual({ tokens: 48, room: 499 });
    expect(bucketFor(LINEAR, 1020).tokens).toBe(1);
    expect(bucketFor(LINEAR, 1019).tokens).toBe(0);
    expect(bucketFor(LINEAR, 1000)).toEqual({ tokens: 0, room: 0 });
    expect(bucketFor(LINEAR, 900)).toEqual({ tokens: 0, room: -100 });
  });

  it("leaves room of the fullest moment without tokens", () => {
    const step = { id: "step", name: "", bytes: 300, phase: "step" } as const;
    const model = { ...LINEAR, fixed: [...LINEAR.fixed, step] };
    // The step's 300 bytes are there when activations are gone.
    expect(bucketFor(model, 1500)).toEqual({ tokens: 49, room: 200 });
    expect(bucketFor(model, 1299)).toEqual({ tokens: 0, room: -1 });
  });

  it("is more tokens than any data has where they take nothing", () => {
    expect(bucketFor(NOTHING, 0).tokens).toBe(2 ** 40 - 2);
  });

  it("is the largest that fits, as brute force finds it", () => {
    const settings = fc.record({
      zeroStage: fc.constantFrom<ZeroStage>(0, 1, 2, 3),
      checkpointing: fc.constantFrom("none", "selective", "attention", "full"),
      largestGroup: fc.constantFrom(1, 2, 8),
      kernel: fc.constantFrom("none", "flash2", "flash3"),
      kv_heads: fc.constantFrom(2, 6),
    });
    const budgets = fc.integer({ min: 0, max: 400_000 });
    const most = fc.integer({ min: 0, max: 20_000 });
    fc.assert(
      fc.property(settings, budgets, most, ({ kv_heads, ...change }, budget, workspace) => {
        const shape = { ...SMALL, kv_heads };
        const whole = memoryModel({ ...MEMORY, ...change, shape });
        // A workspace that so few bytes fill.
        const perToken = whole.perToken.map((row) =>
          row.most === undefined ? row : { ...row, most: workspace },
        );
        const model = { ...whole, perToken };
        expect(bucketFor(model, budget).tokens).toBe(byHand(model, budget));
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
