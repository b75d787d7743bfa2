import { describe, expect, it } from "vitest";
import { random32, randomBelow } from "../../src/foundation/random.js";
import { longestThatFits } from "../../src/plan/fit.js";
import { shardTokens } from "../../src/schedule/time-and-memory.js";
import { conversation, MODEL } from "../cli/run.js";
import { codes, planOf } from "./make.js";

describe("the longest sequence that fits", () => {
  it("has a shard that the bucket holds, and no longer one has", () => {
    for (const context of [1, 2, 3, 8]) {
      for (const bucket of [2, 7, 8, 1001]) {
        const most = longestThatFits(bucket, context);
        expect(shardTokens(most, context)).toBeLessThanOrEqual(bucket);
        expect(shardTokens(most + 1, context)).toBeGreaterThan(bucket);
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
    const advised = /memory { budget = (\d+) MiB }/.exec(small.diagnostics.at(-1)?.help ?? "");
    const budget = Number(advised?.[1]);
    const memory = (size: number) => `{ budget = ${size} MiB reserve = 1 MiB bucket = 1K }`;
    expect(codes(await onGpu(memory(budget)))).toEqual([]);
    expect(codes(await onGpu(memory(budget - 10)))).toEqual(["bucket-exceeds-budget"]);
  });

  it("is several changes where no single one does, and never more memory than the GPU has", async () => {
    const found = await planOf(
      {
        model: '"meta-llama/Llama-3.2-3B" { weights = random }',
        cluster: "{ gpus = 2 gpu = rtx_4090_24gb }",
        parallel: "{ }",
        memory: "{ }",
        data: '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 32K }',
      },
      { "data.jsonl": conversation("x".repeat(26_000)) },
    );
    const error = found.diagnostics.find(({ code }) => code === "states-exceed-budget");
    expect(error?.range.start.line).toBe(3);
    const advice = error?.help?.split("; ") ?? [];
    const both = (...parts: string[]) =>
      advice.some((one) => parts.every((part) => one.includes(part)));
    expect(both("checkpointing = attention", "lora { rank = 16 }")).toBe(true);
    expect(both("checkpointing = offload", "memory { offload = optimizer }")).toBe(true);
    expect(error?.help).not.toContain("budget");
    expect(error?.help).toContain("trains adapters in place of the weights");
  });

  it("is no sharing of sequences where layers need whole ones", async () => {
    const kinds = { layer_types: ["conv", "full_attention"], conv_L_cache: 3 };
    const help = async (config: object) => {
      const model = JSON.stringify({ ...JSON.parse(MODEL), ...config });
      const small = { parallel: "{ }", memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 200 }" };
      const { diagnostics } = await planOf(small, { "model.json": model });
      return diagnostics.find(({ code }) => code === "sequence-too-long")?.help;
    };
    expect(await help({})).toContain("context = 2");
    const hybrid = await help({ model_type: "lfm2", block_auto_adjust_ff_dim: false, ...kinds });
    expect(hybrid).toContain("bucket = ");
    expect(hybrid).not.toContain("context");
  }, 60_000);

  it("says how near the nearest setting is where nothing does", async () => {
    const found = await planOf({
      model: '"Qwen/Qwen2.5-32B" { weights = random }',
      cluster: "{ gpus = 1 gpu = rtx_4090_24gb host_memory = 32 GiB }",
      parallel: "{ }",
      memory: "{ }",
    });
    expect(found.diagnostics.map(({ help }) => help).join()).toMatch(
      /The nearest needs [\d.]+ GiB of 22.0 GiB a rank may use: /,
    );
  });
});

type Blocks = Readonly<Record<string, Readonly<Record<string, string | number>>>>;

const written = (keys: Readonly<Record<string, string | number>>) =>
  `{ ${Object.entries(keys)
    .map(([key, value]) => `${key} = ${value}`)
    .join(" ")} }`;

const SMALL = '"Qwen/Qwen2.5-1.5B"';
const SAMPLES = [900, 40, 5000, 14_000, 30_000].map((size) => conversation("y".repeat(size)));

/** The parts of a spec, the model's label before its keys. */
function partsOf(label: string, blocks: Blocks): Record<string, string> {
  const bodies = Object.entries(blocks).map(([name, keys]) => [name, written(keys)] as const);
  return Object.fromEntries(
    bodies.map(([name, body]) => [name, name === "model" ? `${label} ${body}` : body]),
  );
}

/** A random spec that asks for much of little. */
function tooMuch(n: number): { label: string; blocks: Blocks } {
  const random = random32(12, n);
  const pick = <T>(values: readonly T[]): T => values[randomBelow(random, values.length)] as T;
  const zero = pick([0, 1, 2, 3]);
  const offload = zero === 0 ? "none" : pick(["none", "none", "optimizer"]);
  const gpus = pick([1, 2, 4, 8]);
  return {
    label: pick([SMALL, '"meta-llama/Llama-3.2-3B"', '"Qwen/Qwen2.5-7B"', '"Qwen/Qwen2.5-14B"']),
    blocks: {
      model: {
        weights: "random",
        checkpointing: pick(["none", "selective", "attention", "full", "offload"]),
      },
      cluster: { gpus, gpu: "rtx_4090_24gb", ...pick([{}, { host_memory: "64 GiB" }]) },
      parallel: {
        context: pick([1, gpus]),
        zero,
        ...(zero === 2 && offload === "none" ? pick([{}, { reduction: "once" }]) : {}),
      },
      memory: { offload, ...pick([{}, { budget: "9 GiB" }]), ...pick([{}, { bucket: 2048 }]) },
      data: {
        train: '["data.jsonl"]',
        tokenizer: '"bytes"',
        max_length: "32K",
        ...pick([{}, { overlong: "truncate" }]),
      },
      schedule: { global_batch: 4, degrees: pick(["local-or-all", "pool"]) },
    },
  };
}

it("fits where a spec takes any advice that it gets", async () => {
  let taken = 0;
  for (let n = 0; n < 14; n += 1) {
    const { label, blocks } = tooMuch(n);
    const more = { "data.jsonl": SAMPLES.join("") };
    const result = await planOf(partsOf(label, blocks), more);
    const help = result.diagnostics.find(({ code }) => MISFITS.includes(code))?.help ?? "";
    for (const advice of adviceIn(help)) {
      const after = Object.fromEntries(
        [...new Set([...Object.keys(blocks), ...Object.keys(advice)])].map((name) => [
          name,
          { ...(name === "train" ? TRAIN : {}), ...blocks[name], ...advice[name] },
        ]),
      );
      const found = await planOf(partsOf(label, after), more);
      const errors = found.diagnostics.filter(({ severity }) => severity === "error");
      expect(errors, `${JSON.stringify(blocks)} and ${JSON.stringify(advice)}`).toEqual([]);
      taken += 1;
    }
  }
  expect(taken).toBeGreaterThan(20);
}, 300_000);

/** What a spec's own block of that name says. */
const TRAIN = { optimizer: "adamw { lr = 1e-5 }" };

const MISFITS: readonly string[] = ["states-exceed-budget", "sequence-too-long"];

/** The changes that a help names, as blocks and keys. */
function adviceIn(help: string): readonly Blocks[] {
  const [, list] = /would do: (.*)\.$/.exec(help) ?? [];
  // Remarks stand in parentheses, and have semicolons of their own.
  return (list?.replaceAll(/ \([^)]*\)/g, "").split("; ") ?? []).map((one) =>
    Object.fromEntries(
      [...one.matchAll(/(\w+) \{ ([^}]*) \}/g)].map(([, block = "", keys = ""]) => [
        block,
        Object.fromEntries(
          [...keys.matchAll(/(\w+) = (\d+ MiB|\S+)/g)].map(([, key = "", value = ""]) => [
            key,
            value,
          ]),
        ),
      ]),
    ),
  );
}

describe("a pool of all ranks", () => {
  const pool = (policy: string) =>
    planOf(
      {
        cluster: "{ gpus = 4 gpu = cpu }",
        parallel: "{ context = 2 }",
        memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 300 }",
        schedule: `{ global_batch = 4 degrees = pool ${policy} }`,
      },
      { "data.jsonl": [800, 30, 30, 30].map((size) => conversation("z".repeat(size))).join("") },
    );

  it("holds what is too long for a context-parallel group", async () => {
    const found = await pool("");
    expect(codes(found)).toEqual([]);
    expect(found.inputs?.data.summary.longest).toBeGreaterThan(2 * 300);
    expect(found.plan?.forecast.degrees.map(({ degree }) => degree)).toContain(4);
  });

  it("does not under a policy that knows no wider group, which is said before any schedule", async () => {
    const found = await pool("policy = packed");
    expect(codes(found)).toEqual(["sequence-too-long"]);
    expect(found.diagnostics.at(-1)?.help).toContain("schedule { policy = auto }");
  });
});
