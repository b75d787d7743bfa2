import { describe, expect, it } from "vitest";
import type { MemoryModel } from "../../src/cost/memory-model.js";
import { largestBucket } from "../../src/plan/fit.js";

/** 1000 bytes and 10 a token on the GPU; on the host 50, and 4 a token where inputs of layers are there. */
const MODEL: MemoryModel = {
  fixed: [{ id: "weights", name: "weights", bytes: 1000 }],
  perToken: [{ id: "activations", name: "activations", bytes: 10 }],
  host: [{ id: "process", name: "process", bytes: 50 }],
  hostPerToken: [{ id: "checkpoints", name: "layer inputs", bytes: 4 }],
};
const NO_LIMIT = Number.POSITIVE_INFINITY;

describe("the largest bucket", () => {
  const of = (budgetBytes: number, hostBytes: number, model = MODEL) =>
    largestBucket({ budgetBytes, hostBytes }, model);

  it("is what the GPU holds, but for one token, where the host's memory is not known", () => {
    expect(of(2000, NO_LIMIT)).toBe(99);
  });

  it("is no more than a rank's share of the host's memory holds, either", () => {
    expect(of(2000, 50 + 4 * 80)).toBe(79);
    expect(of(2000, 50 + 4 * 80 - 1)).toBe(78);
    expect(of(2000, 50 + 4 * 200)).toBe(99);
    expect(of(2000, 10)).toBe(0);
  });

  it("does not depend on the host where tokens keep nothing there", () => {
    expect(of(2000, 10, { ...MODEL, hostPerToken: [] })).toBe(99);
  });
});
