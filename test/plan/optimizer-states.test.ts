import { describe, expect, it } from "vitest";
import type { ZeroStage } from "../../src/cost/memory.js";
import { deepspeedConfig } from "../../src/emit/deepspeed-config.js";
import type { Spec } from "../../src/language/language.js";
import { optimizerStates, type StatesProblem } from "../../src/plan/optimizer-states.js";
import { LORA, SMALL, SPARSE } from "../cost/small-shape.js";
import { planOf } from "./make.js";

type Optimizer = Spec["train"]["optimizer"];

const COMMON = { lr: 1, weight_decay: 0, decayed: "matrices" } as const;
const ADAM = { ...COMMON, betas: [0.9, 0.999], eps: 1e-8 } as const;
const ADAMW: Optimizer = { ...ADAM, type: "adamw", states: "fp32" };
const ADAMW8: Optimizer = { ...ADAM, type: "adamw8bit" };
const MUON: Optimizer = {
  ...COMMON,
  type: "muon",
  adam_lr: 1,
  momentum: 0.95,
  betas: [0.9, 0.95],
  eps: 1e-10,
};
const sgd = (momentum: number): Optimizer => ({ ...COMMON, type: "sgd", momentum });

/** Of a model in bf16 under ZeRO 2, all of whose weights are trained. */
const of = (
  optimizer: Optimizer,
  {
    precision = "bf16" as "bf16" | "fp32",
    zero_stage = 2 as ZeroStage,
    lora = null as StatesProblem["lora"],
    gradients = "fp32" as "bf16" | "fp32",
    offload = "none" as Spec["memory"]["offload"],
    shape = SMALL,
  } = {},
) => {
  const spec = { model: { precision }, train: { optimizer, gradients }, memory: { offload } };
  return optimizerStates({ spec, shape, lora, topology: { zero_stage } });
};

describe("bytes that an optimizer keeps for a parameter", () => {
  it("have a master copy in fp32, but for a model in fp32 without ZeRO", () => {
    const copies = (["bf16", "fp32"] as const).map((precision) =>
      ([0, 1, 3] as const).map((zero_stage) => of(ADAMW, { precision, zero_stage }).masterBytes),
    );
    expect(copies).toEqual([
      [4, 4, 4],
      [0, 4, 4],
    ]);
  });

  it("are two moments of AdamW, and one of SGD with momentum", () => {
    expect([ADAMW, sgd(0.9), sgd(0)].map((each) => of(each).momentBytes)).toEqual([8, 4, 0]);
  });

  it("are 2 for each of AdamW's states in bf16", () => {
    expect(of({ ...ADAM, type: "adamw", states: "bf16" })).toEqual({
      masterBytes: 2,
      momentBytes: 4,
    });
  });

  it("are two bytes and two scales a block of AdamW in 8 bits, but for the embedding", () => {
    // Of 1001 parameters, 11 x 10 are the embedding's, with 8 bytes each; the others have 2 + 2 x 4 / 256.
    const { masterBytes, momentBytes } = of(ADAMW8);
    expect(masterBytes).toBe(4);
    expect(1001 * momentBytes).toBeCloseTo(110 * 8 + 891 * 2.03125, 9);
    expect(of(ADAMW8, { lora: LORA }).momentBytes).toBe(2.03125);
  });

  // Five layers of 10 x (18 + 18 + 6 + 6) and 3 x 10 x 7 weights are 3450 of 5000.
  const large = { ...SMALL, parameters: 5000 };
  const mean = (own: number, matrices = 3450) => (matrices * own + (5000 - matrices) * 8) / 5000;

  it("are Muon's momentum of matrices, below ZeRO 3 in two copies, and AdamW's moments of the rest", () => {
    const found = ([1, 2, 3] as const).map((zero_stage) =>
      (["fp32", "bf16"] as const).map(
        (gradients) => 5000 * of(MUON, { zero_stage, gradients, shape: large }).momentBytes,
      ),
    );
    const wanted = [4, 4, 4, 4, 4, 2].map((bytes) => Math.round(5000 * mean(bytes)));
    expect(found.flat().map(Math.round)).toEqual(wanted);
    expect(of(MUON, { offload: "optimizer", shape: large }).momentBytes).toBe(mean(4));
    expect(of(MUON, { lora: LORA }).momentBytes).toBe(4);
  });

  it("count the matrices of experts and their router as Muon's", () => {
    // Four layers have 6 experts of 3 x 10 x 3 weights and a router of 6 x 10, one has an MLP.
    const sparse = { ...SPARSE, parameters: 5000 };
    const matrices = 5 * 480 + 210 + 4 * (6 * 90 + 60);
    expect(of(MUON, { zero_stage: 3, shape: sparse }).momentBytes).toBeCloseTo(mean(4, matrices));
  });
});

describe("AdamW's states in bf16", () => {
  const planned = (train: string, parts: Readonly<Record<string, string>> = {}) =>
    planOf({
      model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb }",
      parallel: "{ }",
      memory: "{ }",
      train: `{ optimizer = adamw { lr = 1e-4 ${train} } }`,
      ...parts,
    });

  it("are told to DeepSpeed, and halve what the plan counts", async () => {
    const [exact, rounded] = await Promise.all([planned(""), planned("states = bf16")]);
    const of = ({ plan }: typeof exact) => plan?.memory.fixed.find(({ id }) => id === "optimizer");
    expect(of(rounded)?.bytes).toBe((of(exact)?.bytes ?? 0) / 2);
    const config = rounded.plan && deepspeedConfig(rounded.plan);
    const states = { bf16_master_weights_and_grads: true, bf16_optimizer_states: true };
    expect(config).toMatchObject({ bf16: { enabled: true, ...states } });
    const { bf16 } = (exact.plan && deepspeedConfig(exact.plan)) ?? {};
    expect(bf16).toEqual({ enabled: true, check_grad_overflow: true });
    expect(rounded.plan?.training.optimizer).not.toHaveProperty("states");
  });

  it.each([
    { parallel: "{ zero = 0 }" },
    { memory: "{ offload = optimizer }" },
    { model: '"Qwen/Qwen2.5-0.5B" { weights = random precision = fp32 }' },
  ])("are refused with %j", async (parts) => {
    const { diagnostics } = await planned("states = bf16", parts);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    expect(errors).toMatchObject([{ code: "contradictory-keys" }]);
    expect(errors[0]?.message).toContain("states = bf16");
  });
});
