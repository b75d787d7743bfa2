import { describe, expect, it } from "vitest";
import { loraShape, matricesOf } from "../../src/cost/adapters.js";
import { type CheckpointSetting, checkpointBytes, exportBytes } from "../../src/cost/checkpoint.js";
import { SMALL, WHOLE } from "./small-shape.js";

const P = SMALL.parameters;
const LORA = loraShape(
  { shape: SMALL, matrices: matricesOf(SMALL) },
  { rank: 4, targets: ["q_proj"], dora: false, modules_to_save: [], ...WHOLE },
);
/** Of the adapters: layers x rank x (inputs + outputs of the matrix). */
const A = SMALL.layers * 4 * (SMALL.hidden_size + SMALL.heads * SMALL.head_dim);

const bytes = (more: Partial<CheckpointSetting>) =>
  checkpointBytes({
    shape: SMALL,
    precision: "bf16",
    lora: null,
    masterBytes: 4,
    momentBytes: 8,
    stage: 2,
    device: "cuda",
    ...more,
  });

describe("a checkpoint of the whole model", () => {
  it.each([0, 1, 2] as const)("under stage %i has weights, master weights and moments", (stage) => {
    expect(bytes({ stage })).toEqual({ weights: 2 * P, frozen: 0, optimizer: 12 * P });
    expect(bytes({ stage, momentBytes: 0 }).optimizer).toBe(4 * P);
  });

  it("has a master copy in fp32 under ZeRO only", () => {
    expect(bytes({ precision: "fp32", stage: 0, masterBytes: 0 })).toEqual({
      ...{ weights: 4 * P, frozen: 0, optimizer: 8 * P },
    });
    expect(bytes({ precision: "fp32", stage: 1 }).optimizer).toBe(12 * P);
  });

  it("under stage 3 has its weights as master weights alone", () => {
    expect(bytes({ stage: 3 })).toEqual({ weights: 0, frozen: 0, optimizer: 12 * P });
  });
});

describe("a checkpoint of adapters", () => {
  it("has the whole model all the same, and states of what is trained", () => {
    expect(bytes({ lora: LORA, stage: 1 })).toEqual({
      ...{ weights: 2 * (P + A), frozen: 0, optimizer: 12 * A },
    });
  });

  it("has what is not trained twice under stage 2 on a GPU, and once under stage 3", () => {
    expect(bytes({ lora: LORA }).frozen).toBe(2 * P);
    expect(bytes({ lora: LORA, device: "cpu" }).frozen).toBe(0);
    expect(bytes({ lora: LORA, stage: 3 })).toEqual({
      ...{ weights: 2 * P, frozen: 0, optimizer: 12 * A },
    });
  });
});

it("an export has what was trained, in the model's precision; under ZeRO 3 adapters in fp32", () => {
  const exported = { shape: SMALL, precision: "bf16", stage: 2, lora: null, merge: false } as const;
  expect(exportBytes(exported)).toBe(2 * P);
  expect(exportBytes({ ...exported, stage: 3 })).toBe(2 * P);
  expect(exportBytes({ ...exported, lora: LORA })).toBe(2 * A);
  expect(exportBytes({ ...exported, lora: LORA, stage: 3 })).toBe(4 * A);
  expect(exportBytes({ ...exported, lora: LORA, stage: 3, merge: true })).toBe(2 * P);
});
