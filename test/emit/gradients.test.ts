import { describe, expect, it } from "vitest";
import { deepspeedConfig } from "../../src/emit/deepspeed-config.js";
import { trainConfig } from "../../src/emit/run-values.js";
import { codes, planOf } from "../plan/make.js";

const TRAIN = "{ optimizer = adamw { lr = 1e-4 } gradients = ";
const GPUS = "{ gpus = 8 gpu = h100_sxm_80gb }";
const MODEL = '"Qwen/Qwen2.5-0.5B" { weights = random }';

const emitted = async (zero: number, gradients = "fp32", more: Record<string, string> = {}) => {
  const { plan } = await planOf({
    model: MODEL,
    cluster: GPUS,
    memory: "{ }",
    parallel: `{ zero = ${zero} reduction = every-micro-batch }`,
    train: `${TRAIN}${gradients} }`,
    ...more,
  });
  if (!plan) throw new Error("the spec has a plan");
  const { zero_optimization: own, ...config } = deepspeedConfig(plan);
  const { reduction, gradients: added } = trainConfig(plan);
  const { stage } = own as { stage: number };
  return { plan, stage, config, reduction, added };
};

describe("what gradients are added in", () => {
  it.each([2, 3])("is DeepSpeed's to know under ZeRO %i", async (zero) => {
    const { stage, config, reduction, added } = await emitted(zero);
    expect([stage, reduction, added]).toEqual([zero, "every-micro-batch", "fp32"]);
    expect(config).toMatchObject({
      communication_data_type: "fp32",
      data_types: { grad_accum_dtype: "fp32" },
    });
  });

  it("is autograd's under ZeRO 0, where DeepSpeed refuses the key", async () => {
    const { stage, config, added } = await emitted(0);
    expect([stage, added]).toEqual([0, "fp32"]);
    expect(config).toMatchObject({ communication_data_type: "fp32" });
    expect(config).not.toHaveProperty("data_types");
  });

  it("makes ZeRO 1 a stage 2 that reduces once, unless its optimizer is offloaded", async () => {
    const { plan, stage, reduction } = await emitted(1);
    expect(plan.topology.zero_stage).toBe(1);
    expect([stage, reduction]).toEqual([2, "once"]);
    const away = await emitted(1, "fp32", { memory: "{ offload = optimizer }" });
    expect([away.stage, away.reduction]).toEqual([1, "every-micro-batch"]);
  });

  it.each([
    0, 1, 2, 3,
  ])("is the model's precision where the spec says so, under ZeRO %i", async (zero) => {
    const { stage, config, reduction, added } = await emitted(zero, "bf16");
    expect([stage, reduction, added]).toEqual([zero, "every-micro-batch", "model"]);
    expect(config).not.toHaveProperty("communication_data_type");
    expect(config).not.toHaveProperty("data_types");
  });

  it("has nothing to say of a model in fp32, which cannot add in bf16", async () => {
    const model = '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }';
    const { plan, config, added } = await emitted(2, "fp32", { model });
    expect([plan.training.gradients, added]).toEqual(["fp32", "model"]);
    expect(config).not.toHaveProperty("communication_data_type");
    const refused = await planOf({ model, cluster: GPUS, memory: "{ }", train: `${TRAIN}bf16 }` });
    expect(codes(refused)).toEqual(["contradictory-keys"]);
  });
});
