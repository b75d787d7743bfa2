import { expect, it } from "vitest";
import { trafficStage, zeroTraffic } from "../../src/cost/zero.js";

const [GATHER, SCATTER] = [3, 50];

it("communicates by stage: gradients once or in every backward, weights after the step or twice a micro-batch", () => {
  const stages = ([0, 1, 2, 3] as const).map((stage) => zeroTraffic(stage, GATHER, SCATTER));
  expect(stages).toEqual([
    { perMicroBatch: 0, perStep: 53 },
    { perMicroBatch: 0, perStep: 53 },
    { perMicroBatch: 50, perStep: 3 },
    { perMicroBatch: 56, perStep: 0 },
  ]);
});

it("is stage 1's where stage 2 reduces once a step", () => {
  const stages = ([0, 1, 2, 3] as const).map((stage) => trafficStage(stage, "once"));
  expect(stages).toEqual([0, 1, 1, 3]);
  expect(trafficStage(2, "every-micro-batch")).toBe(2);
  expect(zeroTraffic(2, GATHER, SCATTER, "once")).toEqual({ perMicroBatch: 0, perStep: 53 });
  expect(zeroTraffic(3, GATHER, SCATTER, "once")).toEqual({ perMicroBatch: 56, perStep: 0 });
});
