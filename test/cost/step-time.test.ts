import { describe, expect, it } from "vitest";
import { type StepSetting, stepTime } from "../../src/cost/step-time.js";
import { CONSTANTS } from "./small-shape.js";

/** Of 12,000 parameters a tenth is trained; memory moves 10^6 bytes a second, the host's link 10^5. */
const SETTING: StepSetting = {
  trained: 1200,
  parameters: 12_000,
  zeroStage: 2,
  ranks: 4,
  ranksOfNode: 2,
  offload: "none",
  stateBytes: 12,
  optimizerFlops: 0,
  matmulFlops: 1e8,
  memoryBandwidth: 1e6,
  hostLink: 1e5,
  hostAdam: 5e6,
  constants: CONSTANTS,
};
const step = (change: Partial<StepSetting>) => stepTime({ ...SETTING, ...change });

describe("an optimizer step", () => {
  it("moves 44 bytes of every parameter of a rank's share, besides 1000 us to start", () => {
    const whole = 1200 * 44;
    expect(step({ zeroStage: 0 })).toEqual({ perMicroBatch: 0, perStep: 1000 + whole });
    for (const zeroStage of [1, 2, 3] as const)
      expect(step({ zeroStage })).toEqual({ perMicroBatch: 0, perStep: 1000 + whole / 4 });
    expect(step({ memoryBandwidth: 2e6 }).perStep).toBe(1000 + whole / 8);
  });

  it("reads and writes what the optimizer keeps, and computes what it computes", () => {
    expect(step({ stateBytes: 6 }).perStep).toBe(1000 + 300 * 32);
    const products = (change: Partial<StepSetting>) =>
      step({ ...change, optimizerFlops: 8e6 }).perStep - step(change).perStep;
    expect(products({ zeroStage: 0 })).toBeCloseTo(8e6 / 100, 6);
    for (const offload of ["none", "optimizer"] as const)
      expect(products({ offload })).toBeCloseTo(8e6 / 100 / 4, 6);
  });

  it("is not told apart where memory's bandwidth is not", () => {
    const nothing = { perMicroBatch: 0, perStep: 0 };
    expect(step({ memoryBandwidth: null })).toEqual(nothing);
    expect(step({ memoryBandwidth: null, offload: "all", zeroStage: 3 })).toEqual(nothing);
  });

  it("runs on the node's processors where it is offloaded, and gradients and weights cross", () => {
    // 300 parameters of a rank: 600 of a node's two ranks at 5 x 10^6 a second; 2 bytes each way at 10^5 a second.
    const { perMicroBatch, perStep } = step({ offload: "optimizer" });
    expect(perMicroBatch).toBeCloseTo(300 * 2 * 10, 9);
    expect(perStep).toBeCloseTo(1000 + 600 / 5 + 300 * 2 * 10, 9);
  });

  it("has weights cross twice a micro-batch where those are offloaded too", () => {
    const weights = (zeroStage: 2 | 3) => {
      const { perMicroBatch, perStep } = step({ offload: "all", zeroStage });
      expect(perStep).toBe(step({ offload: "optimizer", zeroStage }).perStep);
      return perMicroBatch - step({ offload: "optimizer", zeroStage }).perMicroBatch;
    };
    expect(weights(3)).toBeCloseTo((2 * 12_000 * 2 * 10) / 4, 9);
    expect(weights(2)).toBeCloseTo(2 * 12_000 * 2 * 10, 9);
  });

  it("is as fast as the node's processors", () => {
    const [slow, fast] = [1e6, 3e6].map((hostAdam) => step({ offload: "all", hostAdam }));
    expect(slow?.perMicroBatch).toBe(fast?.perMicroBatch);
    expect((slow?.perStep ?? 0) - (fast?.perStep ?? 0)).toBeCloseTo(600 - 200, 9);
  });

  it("stays on a GPU that has no link to its host, or whose host is not known", () => {
    for (const unknown of [{ hostLink: null }, { hostAdam: null }])
      expect(step({ offload: "optimizer", ...unknown })).toEqual(step({}));
  });
});
