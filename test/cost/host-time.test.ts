import { expect, it } from "vitest";
import { type StartSetting, startTime } from "../../src/cost/host-time.js";
import { CONSTANTS, SMALL } from "./small-shape.js";

const SETTING: StartSetting = {
  shape: SMALL,
  checkpointing: "none",
  zeroStage: 2,
  adapters: false,
  constants: CONSTANTS,
};
const start = (change: Partial<StartSetting>) => startTime({ ...SETTING, ...change });

// A layer's forward takes 3 us and its backward 50; ZeRO 3's hooks 700 a pass; adapters half as much again.
it.each([
  ["none", 1, 2],
  ["selective", 1, 2],
  ["attention", 2, 3],
  ["full", 2, 3],
  ["offload", 2, 3],
] as const)("kernels of five layers take their time to start with checkpointing = %s", (checkpointing, forwards, passes) => {
  const plain = 3 * forwards + 50;
  expect(start({ checkpointing })).toBe(5 * plain);
  expect(start({ checkpointing, zeroStage: 3 })).toBe(5 * (plain + 700 * passes));
  expect(start({ checkpointing, adapters: true })).toBe(5 * 1.5 * plain);
  const both = start({ checkpointing, zeroStage: 3, adapters: true });
  expect(both).toBe(5 * (1.5 * plain + 700 * passes));
});

it("only ZeRO 3 has hooks", () => {
  for (const zeroStage of [0, 1] as const) expect(start({ zeroStage })).toBe(start({}));
});
