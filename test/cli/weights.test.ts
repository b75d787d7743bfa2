import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { globalBatches } from "../../src/foundation/global-batches.js";
import { codes, planOf } from "../plan/make.js";
import { conversation, files, PYTHON, project, skrull } from "./run.js";

const data = (rest: string) =>
  `{ train = ["b*.jsonl", "*.jsonl"] tokenizer = "bytes" max_length = 1K ${rest} }`;
const rows = (count: number, letter: string) =>
  Array.from({ length: count }, (_, n) => conversation(letter.repeat(n + 1))).join("");
const DATA = { "b1.jsonl": rows(2, "b"), "b2.jsonl": rows(3, "c"), "a.jsonl": rows(7, "a") };
const planned = (rest: string, more: Readonly<Record<string, string>> = {}) => {
  const { "data.jsonl": _, ...others } = files();
  return { ...others, ...files({ data: data(rest) }), "data.jsonl": "", ...DATA, ...more };
};

const SAMPLER = `
import json
from sampler import build_sampler
sampler = build_sampler(json.load(open("data_index.json"))["samples"]["length"])
sampler.total_steps = 2 * sampler.steps_per_epoch
print(json.dumps([sampler.steps_per_epoch, [batch.samples for batch in sampler]]))
`;

describe("weights", () => {
  it("give both programs the same global batches", () => {
    const folder = project(planned("weights = [2, 0.5]"));
    const run = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
    expect(run.status, run.stderr).toBe(0);
    const read = (name: string) => JSON.parse(readFileSync(join(folder, "run", name), "utf8"));
    const { steps, data, training } = read("plan.json");
    // 5 samples twice, and 7 / 2 rounded up.
    expect(data.mixture).toEqual([
      { samples: 5, draws: 10 },
      { samples: 7, draws: 4 },
    ]);
    expect(steps).toMatchObject({ steps_per_epoch: 4, last_batch: 2, total_steps: 4 });
    const index = read("data_index.json");
    const paths = index.files.map((file: { path: string }) => file.path);
    expect(paths).toEqual(["b1.jsonl", "b2.jsonl", "a.jsonl", "data.jsonl"]);
    const env = { ...process.env, DS_ACCELERATOR: "cpu" };
    const cwd = join(folder, "run");
    const python = spawnSync(PYTHON, ["-c", SAMPLER], { cwd, encoding: "utf8", env });
    expect(python.status, python.stderr).toBe(0);
    const batches = [0, 1].flatMap((epoch) =>
      globalBatches(12, 4, training.seed, epoch, data.mixture),
    );
    expect(JSON.parse(python.stdout)).toEqual([4, batches]);
  });

  it("decide the plan: its steps, and what the first batches hold", async () => {
    const plain = await planOf({ data: data("") }, planned(""));
    const heavy = await planOf({ data: data("") }, planned("weights = [1, 20]"));
    expect(plain.plan?.steps.steps_per_epoch).toBe(3);
    expect(heavy.plan?.steps.steps_per_epoch).toBe(37);
    const seconds = (made: typeof plain) => made.plan?.forecast.step_seconds.mean ?? 0;
    expect(seconds(heavy)).not.toBe(seconds(plain));
  });

  it.each([
    ["weights = [1]", "contradictory-keys"],
    ["weights = [1, 0]", "out-of-range"],
    ["weights = [1, 0.01]", "weight-draws-nothing"],
  ])("%s is refused: %s", async (weights, code) => {
    expect(codes(await planOf({}, planned(weights)))).toEqual([code]);
  });
});
