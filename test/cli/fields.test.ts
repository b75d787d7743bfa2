import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { files, MODEL, PYTHON, project, skrull } from "./run.js";

const said = (from: string, value: string) => ({ from, value });
const rows = (count: number, letter: string) =>
  Array.from(
    { length: count },
    (_, n) =>
      `${JSON.stringify({
        dialog: [
          said("system", "Be brief."),
          said("human", letter),
          said("gpt", letter.repeat(n * 40 + 1)),
        ],
      })}\n`,
  ).join("");

it("a spec with every field of data, positions and schedule trains as planned", () => {
  const folder = project({
    ...files({
      model: `{ config = "model.json" weights = random precision = fp32
                checkpointing = offload # skrull-ignore checkpointing-offload-needless: to be run
                tiled_mlp = 64
                rope_scaling = yarn { factor = 8 original = 128 } }`,
      cluster: "{ gpus = 2 gpu = cpu host_memory = 8 GiB timeout = 2 min }",
      data: `{ train = ["data.jsonl", "more.jsonl"] weights = [2, 0.5] tokenizer = "bytes"
               format = sharegpt { conversations = "dialog" } template = mistral max_length = 512 }`,
      schedule: "{ global_batch = 4 mode = planned iterations = 50 strict = true }",
      memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 256 }",
      train: `{ optimizer = adamw { lr = 1e-2 } epochs = 2 loss_chunk = 32 resume = never
                learning_rate = warmup-stable-decay { warmup_steps = 1 decay_ratio = 0.5 min_ratio = 0.1 } }`,
    }),
    "model.json": MODEL.replace("4096", "128"),
    "data.jsonl": rows(5, "a"),
    "more.jsonl": rows(9, "b"),
  });
  const compiled = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
  expect(compiled.stderr).toBe("");
  const run = join(folder, "run");
  const env = { ...process.env, PYTHON };
  const options = { cwd: run, encoding: "utf8", env, timeout: 200_000 } as const; // it passes SIGTERM on
  const launched = spawnSync("bash", ["launch.sh"], options);
  expect(launched.status, `${launched.stdout}${launched.stderr}`).toBe(0);
  const read = (name: string) => readFileSync(join(run, name), "utf8");
  const plan = JSON.parse(read("plan.json"));
  const steps = read("output/metrics.jsonl")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  // 10 and 5 (of 9, halves up) samples an epoch, four to a global batch.
  expect(steps.map((step) => step.sequences)).toEqual([4, 4, 4, 3, 4, 4, 4, 3]);
  expect(steps.map((step) => step.epoch)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(plan.steps.total_steps).toBe(8);
  const rates = [0.005, 0.01, 0.01, 0.01, 0.01, 0.00775, 0.0055, 0.00325];
  for (const [n, rate] of rates.entries()) expect(steps[n].learning_rate).toBeCloseTo(rate, 9);
  expect(steps.at(-1).loss).toBeLessThan(steps[0].loss);
  const exported = JSON.parse(read("output/model/config.json"));
  expect(exported.rope_parameters).toMatchObject({ rope_type: "yarn", factor: 8 });
}, 240_000);
