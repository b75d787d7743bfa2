import { describe, expect, it } from "vitest";
import { planReport } from "../../src/cli/plan-report.js";
import { modelConfig, schedulingConfig } from "../../src/emit/run-values.js";
import { fullestRank } from "../../src/plan/lighter.js";
import { MODEL } from "../cli/run.js";
import { codes, planOf } from "./make.js";

const model = (rest: string) => ({
  model: `{ config = "model.json" weights = random precision = fp32 ${rest} }`,
});

async function planned(rest: string) {
  const { plan, diagnostics } = await planOf(model(rest));
  if (!plan) throw new Error(diagnostics.map((found) => found.message).join());
  return plan;
}

describe("tiles of MLPs", () => {
  it("are as the spec says, or as long as the model is wide", async () => {
    const tiles: (number | null)[] = [];
    for (const value of ["", "tiled_mlp = off", "tiled_mlp = auto", "tiled_mlp = 2K"])
      tiles.push(modelConfig(await planned(value)).mlp_tile);
    expect(tiles).toEqual([null, null, 32, 2048]);
  });

  it("are in the plan's report", async () => {
    expect(planReport(await planned("tiled_mlp = auto"))).toMatch(/MLPs +in tiles of 32 tokens/);
    expect(planReport(await planned(""))).not.toContain("tiles");
  });

  it("are computed again in the backward, which takes the time of recomputed MLPs", async () => {
    const a1 = async (rest: string) => (await planned(rest)).scheduling.cost.a1;
    const [none, selective] = [await a1("checkpointing = none"), await a1("")];
    expect(none).toBeLessThan(selective);
    expect(await a1("checkpointing = none tiled_mlp = auto")).toBe(selective);
    expect(await a1("tiled_mlp = auto")).toBe(selective);
    const full = await a1("checkpointing = full");
    expect(await a1("checkpointing = full tiled_mlp = auto")).toBe(full);
  });

  it("are refused with experts", async () => {
    const experts = { num_local_experts: 4, num_experts_per_tok: 2, model_type: "mixtral" };
    const more = { "experts.json": JSON.stringify({ ...JSON.parse(MODEL), ...experts }) };
    const of = (tile: string) =>
      planOf(
        {
          model: `{ config = "experts.json" weights = random precision = fp32 tiled_mlp = ${tile} }`,
        },
        more,
      );
    expect(codes(await of("auto"))).toEqual(["tiles-with-experts"]);
    expect(codes(await of("off"))).toEqual([]);
  });
});

describe("checkpointing = auto", () => {
  /** Lengths in tokens, most of them short, of which one needs much of a GPU's memory. */
  const LENGTHS = [150_000, ...Array.from({ length: 63 }, (_, k) => 1000 + 97 * k)];
  const onGpu = (checkpointing: string, memory = "{ }", lengths = LENGTHS) =>
    planOf(
      {
        model: `"Qwen/Qwen2.5-1.5B" { weights = random checkpointing = ${checkpointing} }`,
        cluster: "{ gpus = 4 gpu = h100_sxm_80gb }",
        data: '{ train = ["data.jsonl"] format = text tokenizer = "bytes" max_length = 200K }',
        parallel: "{ context = 4 zero = 2 }",
        memory,
        schedule: "{ global_batch = 16 }",
      },
      {
        "data.jsonl": lengths
          .map((tokens) => JSON.stringify({ text: "x".repeat(tokens - 1) }))
          .join("\n"),
      },
    );
  const made = async (...of: Parameters<typeof onGpu>) => {
    const { plan, diagnostics } = await onGpu(...of);
    if (!plan) throw new Error(diagnostics.map((found) => found.message).join());
    return plan;
  };

  it("has for each mode the most tokens that there is memory for, up to the bucket", async () => {
    const auto = await made("auto", "{ bucket = 40K }");
    const short = LENGTHS.slice(1);
    const largest = async (mode: string) => (await made(mode, "{ }", short)).memory.bucket;
    expect(auto.model.checkpointing).toBe("full");
    expect(auto.memory).toMatchObject({ bucket: 40 * 1024, bucket_from: "spec" });
    const limits = auto.lighter.map(({ checkpointing, tokens }) => [checkpointing, tokens]);
    const [none, selective] = [await largest("none"), await largest("selective")];
    expect(none).toBeLessThan(selective);
    expect(limits.slice(0, 2)).toEqual([
      ["none", Math.min(none, 40 * 1024)],
      ["selective", Math.min(selective, 40 * 1024)],
    ]);
    expect(auto.lighter.every(({ tokens }) => tokens <= 40 * 1024)).toBe(true);
    const costs = [...auto.lighter.map(({ cost }) => cost.a1), auto.scheduling.cost.a1];
    expect(costs).toEqual([...new Set(costs)].sort((a, b) => a - b));
  });

  it("takes the bucket that is fastest, and is faster than any one mode", async () => {
    const auto = await made("auto");
    expect(auto.memory.bucket_from).toBe("recomputation");
    expect(auto.memory.bucket).toBeLessThan((await made("full")).memory.bucket);
    const shares = auto.forecast.recomputation;
    expect(shares.length).toBeGreaterThan(1);
    expect(shares.reduce((sum, { micro_batches }) => sum + micro_batches, 0)).toBeCloseTo(1);
    expect(shares.reduce((sum, { tokens }) => sum + tokens, 0)).toBeCloseTo(1);
    for (const mode of ["selective", "attention", "full"]) {
      const { plan } = await onGpu(mode);
      if (plan)
        expect(auto.forecast.tokens_per_second).toBeGreaterThan(plan.forecast.tokens_per_second);
    }
    const { parts, step_seconds: step } = auto.forecast;
    const sum = Object.values(parts).reduce((total, part) => total + part, 0);
    expect(sum).toBeCloseTo(step.mean, 9);
  });

  it("tells a run, and the reader", async () => {
    const auto = await made("auto");
    expect(modelConfig(auto).lighter_checkpointing).toEqual(
      auto.lighter.map(({ checkpointing, tokens }) => ({ checkpointing, tokens })),
    );
    expect(schedulingConfig(auto).forecast?.lighter.map(({ a1 }) => a1)).toEqual(
      auto.lighter.map(({ cost }) => cost.a1),
    );
    const report = planReport(auto);
    expect(report).toContain("bf16, auto checkpointing");
    expect(report).toMatch(/recomputing nothing +\d[\d.]*% of micro-batches/);
    expect(report).toContain("(to recompute less)");
  });

  it("is like any other mode where all run alike", async () => {
    const full = await made("full", "{ bucket = 40K }");
    expect(full.lighter).toEqual([]);
    expect(full.forecast.recomputation).toEqual([]);
    expect(planReport(full)).not.toContain("recomputing");
  });
});

describe("the fullest rank", () => {
  it("is that of all ranks, padding included", () => {
    const lengths = [10, 21, 4, 7];
    const place = (sequence: number, first_rank: number, degree: number) => ({
      sequence,
      first_rank,
      degree,
    });
    expect(fullestRank([], lengths)).toBe(0);
    expect(fullestRank([place(0, 0, 1), place(2, 1, 1)], lengths)).toBe(10);
    // 21 tokens over 2 ranks are four chunks of 6.
    expect(fullestRank([place(1, 0, 2), place(2, 1, 1)], lengths)).toBe(12 + 4);
    expect(fullestRank([place(1, 0, 2), place(3, 2, 1), place(0, 2, 1)], lengths)).toBe(17);
  });
});
