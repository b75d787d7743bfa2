import { describe, expect, it } from "vitest";
import { planReport } from "../../src/cli/plan-report.js";
import { trainConfig } from "../../src/emit/run-values.js";
import { DATA } from "../cli/run.js";
import { codes, planOf } from "./make.js";

const train = (rest: string) => ({ train: `{ optimizer = adamw { lr = 1e-3 } ${rest} }` });

describe("the chunk of the loss", () => {
  const logits = async (rest: string) => {
    const { plan } = await planOf(train(rest));
    const row = plan?.memory.fixed.find(({ id }) => id === "logits");
    return { chunk: plan?.model.loss_chunk, bytes: row?.bytes };
  };

  it("is the spec's, and its memory is planned", async () => {
    // 258 entries of the vocabulary in fp32, and their softmax, which becomes their gradient.
    expect(await logits("loss_chunk = 100")).toEqual({ chunk: 100, bytes: 100 * 258 * 8 });
    expect((await logits("")).chunk).toBe(4096);
  });

  it("can be too large for the budget", async () => {
    expect(codes(await planOf(train("loss_chunk = 1M")))).toContain("states-exceed-budget");
    expect(codes(await planOf(train("loss_chunk = 0")))).toEqual(["out-of-range"]);
  });
});

describe("the run's training", () => {
  const emitted = async (parts: Readonly<Record<string, string>>) => {
    const { plan, diagnostics } = await planOf(parts);
    if (!plan) throw new Error(diagnostics.map((d) => d.message).join());
    return trainConfig(plan);
  };

  it("states whether it resumes, and how long ranks wait", async () => {
    expect(await emitted(train(""))).toMatchObject({ resume: "auto", timeout_seconds: 1800 });
    const cluster = "{ gpus = 2 gpu = cpu timeout = 1.5 h }";
    expect(await emitted({ ...train("resume = never"), cluster })).toMatchObject({
      resume: "never",
      timeout_seconds: 5400,
    });
  });

  it.each([
    ["timeout = 30", "missing-unit"],
    ["timeout = 30 GiB", "wrong-unit"],
    ["timeout = 10 ms", "out-of-range"],
    ["timeout = 8 min + 30", "invalid-arithmetic"],
  ])("refuses %s: %s", async (timeout, code) => {
    const found = codes(await planOf({ cluster: `{ gpus = 2 gpu = cpu ${timeout} }` }));
    expect(found).toEqual([code]);
  });
});

describe("the learning rate", () => {
  const rate = async (text: string, more = "steps = 40") => {
    const made = await planOf(train(`learning_rate = ${text} ${more}`));
    return { rate: made.plan?.training.learning_rate, codes: codes(made) };
  };

  it("has its shares of the run as whole steps", async () => {
    expect(await rate("cosine { warmup_ratio = 0.06 min_ratio = 0.1 }")).toEqual({
      rate: { type: "cosine", warmup_steps: 2, min_ratio: 0.1, decay_steps: 0 },
      codes: [],
    });
    expect((await rate("warmup-stable-decay { warmup_steps = 3 }")).rate).toEqual({
      type: "warmup-stable-decay",
      warmup_steps: 3,
      min_ratio: 0,
      decay_steps: 4,
    });
    expect((await rate("warmup-stable-decay { decay_ratio = 0.001 }")).rate?.decay_steps).toBe(1);
    // 3 and 3 of 5 steps: it falls once it is up.
    const halves = "warmup-stable-decay { warmup_ratio = 0.5 decay_ratio = 0.5 }";
    expect((await rate(halves, "steps = 5")).rate).toMatchObject({
      warmup_steps: 3,
      decay_steps: 2,
    });
  });

  it.each([
    ["constant { warmup_steps = 2 warmup_ratio = 0.1 }", "steps = 40", "contradictory-keys"],
    ["constant { warmup_steps = 40 }", "steps = 40", "contradictory-keys"],
    ["constant { warmup_steps = 2 }", "epochs = 1", "warmup-too-long"],
    ["linear { warmup_ratio = 1 }", "steps = 40", "warmup-too-long"],
    ["constant { min_ratio = 0.1 }", "steps = 40", "unknown-key"],
    ["cosine { decay_ratio = 0.1 }", "steps = 40", "unknown-key"],
  ])("%s with %s is %s", async (text, more, code) => {
    expect((await rate(text, more)).codes).toEqual([code]);
  });
});

it("the report shows how data is mixed and positions are scaled", async () => {
  const { plan } = await planOf(
    {
      model:
        '{ config = "model.json" weights = random rope_scaling = linear { factor = 2 } precision = fp32 }',
      cluster: "{ gpus = 2 gpu = cpu host_memory = 4 GiB }",
      data: '{ train = ["data.jsonl", "b.jsonl"] weights = [2, 0.5] tokenizer = "bytes" max_length = 1K template = zephyr }',
    },
    { "b.jsonl": DATA },
  );
  const report = plan ? planReport(plan) : "";
  const row = (name: string) => report.split("\n").find((line) => line.trim().startsWith(name));
  expect(row("positions")).toMatch(/ 8,192, rotary embeddings linear$/);
  expect(row("memory of a node")).toMatch(/ 4.00 GiB$/);
  expect(row("template")).toMatch(/ zephyr, [0-9a-f]{8}$/);
  expect(row("drawn per epoch, entry 1")).toMatch(/ 10 of 5$/);
  expect(row("drawn per epoch, entry 2")).toMatch(/ 3 of 5$/);
  expect(row("global batch")).toContain("4 (last of an epoch 1)");
  expect(Math.max(...report.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});
