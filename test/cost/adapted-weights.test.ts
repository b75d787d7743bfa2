import { describe, expect, it } from "vitest";
import { stackedGradientWork, wholeWeightsWork } from "../../src/cost/adapted-weights.js";
import { type Adaptable, loraShape, matricesOf } from "../../src/cost/adapters.js";
import type { MemorySetting } from "../../src/cost/memory.js";
import type { MemoryPhase } from "../../src/cost/memory-model.js";
import { LORA, rowOf, SMALL, SPARSE, WHOLE } from "./small-shape.js";

const adapters = (targets: readonly Adaptable[], dora: boolean, shape = SMALL) =>
  loraShape(
    { shape, matrices: matricesOf(shape) },
    { rank: 3, targets, dora, modules_to_save: [], ...WHOLE },
  );
const DORA = adapters(["q_proj"], true);
const EXPERTS = adapters(["experts"], false, SPARSE);
const held = (change: Partial<MemorySetting>, at?: MemoryPhase) =>
  rowOf("fixed", change, "adapted-weights", at);

describe("weights with their adapters", () => {
  it("are nothing of plain adapters", () => {
    expect(held({ lora: LORA })).toBeNaN();
    expect(held({ lora: LORA }, "layers")).toBeNaN();
    expect(wholeWeightsWork(LORA, "full", "bf16")).toEqual({ flops: 0, bytes: 0 });
    expect(stackedGradientWork(SPARSE, LORA)).toBe(0);
  });

  it("are made by DoRA in every forward, of 10 to 18 in five layers", () => {
    const flops = 5 * 2 * 10 * 3 * 28;
    const bytes = 2 * 5 * (2 * 100 + 7 * 180);
    expect(wholeWeightsWork(DORA, "none", "bf16")).toEqual({ flops, bytes });
    expect(wholeWeightsWork(DORA, "full", "bf16")).toEqual({ flops: 2 * flops, bytes: 2 * bytes });
  });

  it("are one at a time of DoRA, in fp32 under ZeRO 3", () => {
    expect(held({ lora: DORA }, "layers")).toBe(2 * 10 * 28 + 2 * 2 * 180);
    expect(held({ lora: DORA, zeroStage: 3 }, "layers")).toBe(4 * 10 * 28 + 2 * 2 * 180);
    expect(held({ lora: DORA })).toBeNaN();
  });

  it("of experts stay where their layer does not run again", () => {
    const sparse = { shape: SPARSE, lora: EXPERTS };
    expect(held({ ...sparse, checkpointing: "none" })).toBe(2 * 4 * 540);
    expect(held({ ...sparse, checkpointing: "none" }, "layers")).toBeNaN();
    expect(held({ ...sparse, checkpointing: "full" })).toBeNaN();
    expect(held({ ...sparse, checkpointing: "selective" }, "layers")).toBe(2 * 540);
  });

  it("of experts have a gradient each, the last one's first, and are gone then", () => {
    const of = (checkpointing: "none" | "full", at: MemoryPhase) =>
      held({ shape: SPARSE, lora: EXPERTS, checkpointing }, at);
    expect(of("full", "down")).toBe(2 * (540 + 180));
    expect(of("full", "gate")).toBe(2 * (360 + 360));
    expect(of("full", "attention")).toBeNaN();
    expect(of("none", "down")).toBe(2 * 180);
    expect(of("none", "gate")).toBe(2 * (360 - 180));
  });

  it("of experts have gradients of their own", () => {
    // Two of six experts, 3 wide each, three matrices, four layers.
    expect(stackedGradientWork(SPARSE, EXPERTS)).toBe(2 * 3 * 10 * 6 * 4);
    const { flops } = wholeWeightsWork(EXPERTS, "none", "bf16");
    expect(flops).toBe(3 * 2 * 3 * 4 * 540);
  });

  it("of frozen matrices in four bits are one at a time in the model's precision", () => {
    const choice = { rank: 3, targets: ["q_proj"], dora: false, modules_to_save: [] } as const;
    const model = { shape: SMALL, matrices: matricesOf(SMALL) };
    const of = (double_quantisation: boolean) =>
      loraShape(model, { ...choice, base: "nf4", double_quantisation });
    // Five layers of 10 x (18 + 18 + 6 + 6) and 3 x 10 x 7 weights; the largest has 180.
    expect(of(false).fourBit).toEqual({ weights: 3450, bitsPerWeight: 4.5, largest: 180 });
    expect(of(true).fourBit?.bitsPerWeight).toBe(4 + (8 + 32 / 256) / 64);
    expect(held({ lora: of(false) }, "layers")).toBe(2 * 180);
    const frozen = 2 * (1001 + 5 * 3 * 28) - 3450 * (2 - 4.5 / 8);
    expect(rowOf("fixed", { lora: of(false) }, "weights")).toBe(Math.ceil(frozen));
    // Forward and backward read 0.56 bytes, write two and read them.
    expect(wholeWeightsWork(of(false), "none", "bf16").bytes).toBe(2 * 3450 * (4 + 4.5 / 8));
    expect(wholeWeightsWork(of(false), "full", "bf16").bytes).toBe(3 * 3450 * (4 + 4.5 / 8));
  });
});
