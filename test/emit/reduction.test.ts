import { describe, expect, it } from "vitest";
import { deepspeedConfig } from "../../src/emit/deepspeed-config.js";
import { trainConfig } from "../../src/emit/run-values.js";
import { planOf } from "../plan/make.js";

/** What DeepSpeed and the run are told of reductions. */
async function told(parallel: string, gpu = "h100_sxm_80gb", memory = "{ }") {
  const { plan } = await planOf({
    model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
    cluster: `{ gpus = 8 gpu = ${gpu} }`,
    parallel,
    memory,
  });
  if (!plan) throw new Error("no plan");
  const config = deepspeedConfig(plan);
  const { stage, overlap_comm } = config["zero_optimization"] as Record<string, unknown>;
  const managed = config["managed_gradient_accumulation"] ?? true;
  return [stage, trainConfig(plan).reduction, overlap_comm, managed];
}

describe("reductions of gradients", () => {
  it.each([
    ["{ zero = 3 }", [3, "every-micro-batch", true, false]],
    ["{ zero = 2 reduction = every-micro-batch }", [2, "every-micro-batch", true, false]],
    // DeepSpeed's context of one reduction a step takes no boundary of the run's own.
    ["{ zero = 2 reduction = once }", [2, "once", false, true]],
    ["{ zero = 1 }", [2, "once", false, true]],
    ["{ zero = 0 }", [0, "every-micro-batch", undefined, true]],
  ])("of %s", async (parallel, expected) => {
    expect(await told(parallel)).toEqual(expected);
  });

  it("are not overlapped on a CPU, and their boundary is the run's where they are offloaded", async () => {
    const cpu = await told("{ zero = 3 }", "cpu", "{ budget = 64 GiB }");
    expect(cpu).toEqual([3, "every-micro-batch", false, false]);
    const away = await told("{ zero = 3 }", undefined, "{ offload = optimizer }");
    expect(away).toEqual([3, "every-micro-batch", false, true]);
  });
});
