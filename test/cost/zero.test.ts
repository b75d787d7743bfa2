import { expect, it } from "vitest";
import { trafficStage, type ZeroCollectives, zeroTraffic } from "../../src/cost/zero.js";

const TIMES: ZeroCollectives = { gatherAll: 1000, gatherTrained: 3, scatter: 50 };

it("communicates by stage: gradients once or in every backward, trained weights after the step, all of them twice a micro-batch", () => {
  const stages = ([0, 1, 2, 3] as const).map((stage) =>
    zeroTraffic(stage, "every-micro-batch", TIMES),
  );
  expect(stages).toEqual([
    { perMicroBatch: 0, perStep: 53 },
    { perMicroBatch: 0, perStep: 53 },
    { perMicroBatch: 50, perStep: 3 },
    { perMicroBatch: 2050, perStep: 0 },
  ]);
});

it("is stage 1's where stage 2 reduces once a step", () => {
  const stages = ([0, 1, 2, 3] as const).map((stage) => trafficStage(stage, "once"));
  expect(stages).toEqual([0, 1, 1, 3]);
  expect(trafficStage(2, "every-micro-batch")).toBe(2);
  expect(zeroTraffic(2, "once", TIMES)).toEqual({ perMicroBatch: 0, perStep: 53 });
  expect(zeroTraffic(3, "once", TIMES)).toEqual({ perMicroBatch: 2050, perStep: 0 });
});
