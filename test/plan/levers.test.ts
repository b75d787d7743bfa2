import { describe, expect, it } from "vitest";
import { longestShard, longestThatFits } from "../../src/plan/fit.js";
import { codes, planOf } from "./make.js";

describe("the longest sequence that fits", () => {
  it("has a shard that the bucket holds, and no longer one has", () => {
    for (const context of [1, 2, 3, 8]) {
      for (const bucket of [2, 7, 8, 1001]) {
        const most = longestThatFits(bucket, context);
        expect(longestShard(most, context)).toBeLessThanOrEqual(bucket);
        expect(longestShard(most + 1, context)).toBeGreaterThan(bucket);
      }
    }
  });
});

describe("what would make a spec fit", () => {
  const onGpu = (memory: string, train = "{ optimizer = adamw { lr = 1e-5 } }") =>
    planOf({
      model: '"Qwen/Qwen2.5-0.5B" { weights = random }',
      cluster: "{ gpus = 8 gpu = h100_sxm_80gb }",
      memory,
      train,
    });

  it("is nothing that a bucket of one's own does not fit beside", async () => {
    const chunk = "{ optimizer = adamw { lr = 1e-5 } loss_chunk = 256K }";
    const result = await onGpu("{ bucket = 128 }", chunk);
    expect(codes(result)).toEqual(["states-exceed-budget"]);
    expect(result.diagnostics.at(-1)?.help).not.toContain("max_length");
  });

  it("is a budget that holds the bucket too", async () => {
    const small = await onGpu("{ budget = 1 GiB reserve = 1 MiB bucket = 1K }");
    expect(codes(small)).toEqual(["states-exceed-budget"]);
    const more = /a budget of ([\d.]+) GiB more/.exec(small.diagnostics.at(-1)?.help ?? "");
    const budget = Math.ceil(1025 + 1024 * Number(more?.[1] ?? Number.NaN));
    const memory = (size: number) => `{ budget = ${size} MiB reserve = 1 MiB bucket = 1K }`;
    expect(codes(await onGpu(memory(budget + 10)))).toEqual([]);
    expect(codes(await onGpu(memory(budget - 100)))).toEqual(["bucket-exceeds-budget"]);
  });
});
