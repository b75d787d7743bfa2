import { describe, expect, it } from "vitest";
import { deepspeedConfig } from "../../src/emit/deepspeed-config.js";
import { planOf } from "./make.js";

const MUON = "optimizer = muon { lr = 0.01 }";

const made = (parts: { parallel?: string; memory?: string; train?: string } = {}) =>
  planOf({
    model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
    cluster: "{ gpus = 8 gpu = h100_sxm_80gb }",
    parallel: parts.parallel ?? "{ }",
    memory: parts.memory ?? "{ }",
    train: `{ ${MUON} ${parts.train ?? ""} }`,
  });

const refused = async (parts: Parameters<typeof made>[0]) =>
  (await made(parts)).diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code}: ${message}`);

describe("a plan with Muon", () => {
  it("clips nothing, and reduces gradients once a step where they are added in fp32", async () => {
    const { plan } = await made();
    expect(plan?.training).toMatchObject({ clip: 0, reduction: "once", gradients: "fp32" });
    expect(plan?.training.optimizer).toMatchObject({ adam_lr: 3e-4, momentum: 0.95 });
    const config = plan && deepspeedConfig(plan);
    expect(config).toMatchObject({
      gradient_clipping: 0,
      zero_optimization: { stage: 2, reduce_scatter: true },
    });
  });

  it("does not scatter what it reduces under ZeRO 3, as DeepSpeed asks", async () => {
    const { plan } = await made({ parallel: "{ zero = 3 }" });
    expect(plan && deepspeedConfig(plan)).toMatchObject({
      zero_optimization: { stage: 3, reduce_scatter: false },
    });
  });

  it.each([
    [{ parallel: "{ zero = 0 }" }, "zero = 0"],
    [{ parallel: "{ reduction = every-micro-batch }" }, "reduction = every-micro-batch"],
    [{ memory: "{ offload = optimizer }" }, "offload = optimizer"],
    [{ train: "clip_norm = 1" }, "clip_norm = 1"],
  ])("refuses %j", async (parts, named) => {
    const found = await refused(parts);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^contradictory-keys/);
    expect(found[0]).toContain(named);
  });

  it.each([
    { parallel: "{ reduction = every-micro-batch }", train: "gradients = bf16" },
    { parallel: "{ zero = 3 }", memory: "{ offload = all }" },
    { memory: "{ offload = optimizer }", train: "gradients = bf16" },
    { train: "clip_norm = 0" },
  ])("takes %j", async (parts) => {
    expect(await refused(parts)).toEqual([]);
  });
});
