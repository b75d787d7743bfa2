import { describe, expect, it } from "vitest";
import {
  type OverlapProblem,
  overlapsReduction,
  reductionBuckets,
} from "../../src/cost/overlap.js";

const PROBLEM: OverlapProblem = {
  stage: 2,
  reduction: "every-micro-batch",
  offload: "none",
  device: "cuda",
  ranks: 8,
};

describe("communication beside the backward", () => {
  it("is where every backward reduces gradients, and has a second bucket under ZeRO 2", () => {
    const stages = ([0, 1, 2, 3] as const).map((stage) => ({ ...PROBLEM, stage }));
    expect(stages.map(overlapsReduction)).toEqual([false, false, true, true]);
    expect(stages.map(reductionBuckets)).toEqual([1, 1, 2, 1]);
  });

  it.each<Partial<OverlapProblem>>([
    { reduction: "once" },
    { offload: "optimizer" },
    { device: "cpu" },
    { ranks: 1 },
  ])("is not with %j", (change) => {
    expect(overlapsReduction({ ...PROBLEM, ...change })).toBe(false);
    expect(reductionBuckets({ ...PROBLEM, ...change })).toBe(1);
  });
});
