import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { peakBytes } from "../../src/cost/memory-model.js";
import type { MemoryPlan } from "../../src/plan/plan.js";
import { conversation, files, PYTHON, project, ROOT, skrull, spec } from "./run.js";

function python(program: string, cwd: string) {
  const env = { ...process.env, DS_ACCELERATOR: "cpu", PYTHONDONTWRITEBYTECODE: "1" };
  return spawnSync(PYTHON, ["-c", program], { cwd, encoding: "utf8", env });
}

function compiled(
  parts: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, string>> = {},
) {
  const folder = project({ ...files(parts), ...more });
  const run = skrull(["compile", "spec.skrull", "--out", "run"], { cwd: folder });
  return { folder: join(folder, "run"), run };
}

const LOAD_DS_CONFIG = `
import json
from unittest.mock import patch
from deepspeed.runtime import config
with patch.object(config.dist, "get_rank", return_value=0), patch.object(config.dist, "get_world_size", return_value=2):
    loaded = config.DeepSpeedConfig(json.load(open("ds_config.json")))
print(json.dumps([loaded.zero_config.stage, loaded.gradient_clipping, loaded.bfloat16_config.enabled]))
`;

describe("the emitted configuration", () => {
  for (const zero of [0, 1, 2, 3]) {
    it(`for ZeRO ${zero} loads in DeepSpeed's own DeepSpeedConfig`, () => {
      const model = '{ config = "model.json" weights = random precision = bf16 }';
      const train = "{ optimizer = sgd { lr = 0.1 } clip_norm = 0.5 }";
      const { folder, run } = compiled({
        parallel: `{ context = 2 zero = ${zero} }`,
        model,
        train,
      });
      expect(run.status).toBe(0);
      const loaded = python(LOAD_DS_CONFIG, folder);
      expect(loaded.status, loaded.stderr).toBe(0);
      // Gradients in fp32 are added by stage 2, which stage 1 in bf16 cannot do with one reduction a step.
      const stage = zero === 1 ? 2 : zero;
      expect(JSON.parse(loaded.stdout.trim().split("\n").at(-1) ?? "")).toEqual([stage, 0.5, true]);
    });
  }
});

describe("the emitted programs", () => {
  const shapes: Record<string, string> = {
    "one node": "{ gpus = 2 gpu = cpu }",
    torchrun: "{ gpus = 2 gpu = cpu launcher = torchrun }",
    "several nodes": "{ nodes = 2 gpus = 8 gpu = h100_sxm_80gb }",
    "several nodes by name":
      '{ nodes = 2 gpus = 8 gpu = h100_sxm_80gb hosts = ["node-a", "node-b.example"] }',
    "several nodes with torchrun": "{ nodes = 2 gpus = 8 gpu = h100_sxm_80gb launcher = torchrun }",
  };
  for (const [name, cluster] of Object.entries(shapes)) {
    it(`for ${name} compile as Python and pass bash -n and shellcheck`, () => {
      const { folder, run } = compiled({ cluster, memory: "{ bucket = 1K reserve = 1 MiB }" });
      expect(run.status, run.stderr).toBe(0);
      const check = python(
        "import compileall, sys; sys.exit(not compileall.compile_dir('.', quiet=1))",
        folder,
      );
      expect(check.status, check.stdout).toBe(0);
      const bash = spawnSync("bash", ["-n", "launch.sh"], { cwd: folder, encoding: "utf8" });
      expect(bash.status, bash.stderr).toBe(0);
      const shellcheck = spawnSync("shellcheck", ["launch.sh"], { cwd: folder, encoding: "utf8" });
      // CI installs it (.ci/run); elsewhere bash -n has to do.
      if (!shellcheck.error || process.env["CI"])
        expect(shellcheck.status, shellcheck.stdout).toBe(0);
    });
  }
});

const HOSTILE = [
  `"; import os; os.system('touch pwned') #`,
  "'; touch pwned; '",
  "$(touch pwned)",
  "`touch pwned`",
  "{{version}} {{{this}}} {{#if x}}",
  "\\\\ \\n literal",
  "naïve 漢字 😀",
  "\u202eright to left",
  "line\nbreak\r\u0000nul",
  "../../escape",
  "/absolute",
  "--flag",
];

/** A string literal of the language. */
const literal = (text: string) =>
  `"${text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replace(/\p{Cc}/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`)}"`;

const model = (rest: string) =>
  `{ config = "model.json" weights = pretrained precision = fp32 ${rest} }`;
const FIELDS: Readonly<Record<string, (text: string) => Record<string, string>>> = {
  "model label": (t) => ({ model: `${t} { }` }),
  "model.config": (t) => ({ model: `{ config = ${t} weights = random }` }),
  "model.path": (t) => ({ model: model(`path = ${t}`) }),
  "model.revision": (t) => ({ model: model(`path = "weights" revision = ${t}`) }),
  "cluster.hosts": (t) => ({ cluster: `{ gpus = 2 gpu = cpu hosts = [${t}] }` }),
  "data.train": (t) => ({ data: `{ train = [${t}] tokenizer = "bytes" max_length = 1K }` }),
  "data.tokenizer": (t) => ({
    data: `{ train = ["data.jsonl"] tokenizer = ${t} max_length = 1K }`,
  }),
  "data.end_token": (t) => ({
    data: `{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K template = zephyr end_token = ${t} }`,
  }),
  "train.output": (t) => ({ train: `{ optimizer = adamw { lr = 1e-3 } output = ${t} }` }),
};

const SHOW = `
import ast, json
from pathlib import Path
tree = ast.parse(Path("train.py").read_text(encoding="utf-8"))
print(json.dumps([node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]))
print(json.dumps(sorted(p.name for p in Path("..").iterdir())))
`;

describe("hostile strings", () => {
  for (const [field, parts] of Object.entries(FIELDS)) {
    it(`in ${field} give a diagnostic or arrive as plain data`, () => {
      let arrived = 0;
      for (const text of HOSTILE) {
        const { folder, run } = compiled(parts(literal(text)));
        expect(run.stderr).not.toContain("internal error");
        if (run.status !== 0) {
          expect(run.status).toBe(1);
          expect(run.stderr).toMatch(/ error \[[a-z-]+\]/);
          continue;
        }
        arrived += 1;
        const shown = python(SHOW, folder);
        expect(shown.status, shown.stderr).toBe(0);
        const [strings = "", names = ""] = shown.stdout.trim().split("\n");
        expect(JSON.parse(strings)).toContain(text);
        expect(JSON.parse(names)).not.toContain("pwned");
        expect(spawnSync("bash", ["-n", "launch.sh"], { cwd: folder }).status).toBe(0);
      }
      const free = ["model.path", "model.revision", "data.end_token", "train.output"].includes(
        field,
      );
      expect(arrived > 0).toBe(free);
    });
  }

  it("in the name of a data file arrive as plain data", () => {
    const name = `a'$(touch pwned)"{{x}}.jsonl`;
    const data = `{ train = [${literal(name.replace(/[{}]/g, "\\$&")).replace("\\\\{\\\\{x\\\\}\\\\}", "??x??")}] tokenizer = "bytes" max_length = 1K }`;
    const { folder, run } = compiled({ data }, { [name]: files()["data.jsonl"] ?? "" });
    expect(run.status, run.stderr).toBe(0);
    const read = "import json; print(json.load(open('data_index.json'))['files'][0]['path'])";
    expect(python(read, folder).stdout.trim()).toBe(name);
  });
});

it("a compiled run lies on a machine with Python alone: nothing in it names the compiler's folder", () => {
  const { folder } = compiled();
  const found = spawnSync("grep", ["-rl", ROOT.replace(/\/$/, ""), "."], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(found.stdout).toBe("");
});

it("specs with every hostile string still lint without an exception", () => {
  for (const text of HOSTILE) {
    const folder = project({
      "a.skrull": spec({ model: `${literal(text)} { path = ${literal(text)} }` }),
    });
    expect([0, 1]).toContain(skrull(["lint", "a.skrull"], { cwd: folder }).status);
  }
});

const LOAD_OFFLOAD = LOAD_DS_CONFIG.replace(
  /print.*/,
  "z = loaded.zero_config; print(json.dumps([z.offload_optimizer.device, z.offload_param and z.offload_param.device, loaded.zero_force_ds_cpu_optimizer]))",
);

describe("what a spec asks of training", () => {
  for (const [offload, zero, weights] of [
    ["optimizer", 2, null],
    ["all", 3, "cpu"],
  ] as const) {
    it(`offload = ${offload} loads in DeepSpeed's own DeepSpeedConfig`, () => {
      const { folder, run } = compiled({
        parallel: `{ context = 2 zero = ${zero} }`,
        memory: `{ budget = 1 GiB reserve = 1 MiB bucket = 1K offload = ${offload} }`,
      });
      expect(run.status, run.stderr).toBe(0);
      const loaded = python(LOAD_OFFLOAD, folder);
      expect(loaded.status, loaded.stderr).toBe(0);
      const printed = JSON.parse(loaded.stdout.trim().split("\n").at(-1) ?? "");
      expect(printed).toEqual(["cpu", weights, false]);
    });
  }

  it("adapters, trackers and held-out data reach the run", () => {
    const { folder, run } = compiled(
      {
        lora: "{ rank = 4 targets = [q_proj, down_proj] }",
        evaluate: '{ data = ["held/*.jsonl"] every = 3 }',
        log: "{ tensorboard = true wandb = \"a 'project'\" }",
      },
      { "held/out.jsonl": conversation("held out") },
    );
    expect(run.status, run.stderr).toBe(0);
    const train = readFileSync(join(folder, "train.py"), "utf8");
    expect(train).toContain('"alpha": 8');
    expect(train).toContain('"evaluate_every": 3');
    const requirements = readFileSync(join(folder, "requirements.txt"), "utf8");
    for (const name of ["peft", "tensorboard", "wandb"])
      expect(requirements).toContain(`${name}>=`);
    const index = JSON.parse(readFileSync(join(folder, "evaluation_index.json"), "utf8"));
    expect(index.files.map((file: { path: string }) => file.path)).toEqual(["held/out.jsonl"]);
    expect(index.samples.length).toHaveLength(1);
  });

  it("asks for bitsandbytes where the optimizer is of it", () => {
    const requirements = ["adamw", "adamw8bit"].map((optimizer) => {
      const { folder, run } = compiled({ train: `{ optimizer = ${optimizer} { lr = 1e-4 } }` });
      expect(run.status, run.stderr).toBe(0);
      return readFileSync(join(folder, "requirements.txt"), "utf8").includes("\nbitsandbytes>=");
    });
    expect(requirements).toEqual([false, true]);
  });

  it("says at the held-out data what is wrong with it", () => {
    const missing = compiled({ evaluate: '{ data = ["none.jsonl"] }' }).run;
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain("no such file");
    const long = compiled(
      { evaluate: '{ data = ["long.jsonl"] }' },
      { "long.jsonl": conversation("x".repeat(5000)) },
    ).run;
    expect(long.status).toBe(1);
    expect(long.stderr).toMatch(/overlong-samples/);
  });

  it("refuses adapters of matrices that the model does not have", () => {
    const { run } = compiled({ lora: "{ rank = 4 targets = [q_proj, c_fc] }" });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("'c_fc'");
    expect(run.stderr).toContain("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
  });
});

describe("when gradients are reduced", () => {
  type Rows = Pick<MemoryPlan, "fixed" | "per_token">;
  const total = (rows: readonly { readonly bytes: number }[]) =>
    rows.reduce((sum, { bytes }) => sum + bytes, 0);
  const planned = (reduction: string, budget: string, bucket = "") => {
    const parts = {
      parallel: `{ context = 2 zero = 2 reduction = ${reduction} }`,
      memory: `{ budget = ${budget} reserve = 1 KiB ${bucket} }`,
    };
    const data = ["a", "b", "c", "d"].map((each) => conversation(each.repeat(300))).join("");
    const cwd = project({ ...files(parts), "data.jsonl": data });
    const run = skrull(["plan", "spec.skrull", "--format", "json"], { cwd });
    expect(run.status, run.stderr).toBe(0);
    return JSON.parse(run.stdout);
  };

  it("is once a step where whole gradients fit, and in every micro-batch where they do not", () => {
    const every = planned("every-micro-batch", "1 GiB");
    const once = planned("once", "1 GiB");
    // Room for the longest shard alone makes several micro-batches; with a single one there is nothing to gain.
    const shard = 2 * Math.ceil(every.data.summary.longest / 4) + 1;
    expect(planned("auto", "1 GiB", `bucket = ${shard}`).training.reduction).toBe("once");
    expect(planned("auto", "1 GiB").training.reduction).toBe("every-micro-batch");
    const { fixed, per_token } = every.memory as Rows;
    const more = total((once.memory as Rows).fixed) - total(fixed);
    expect(more).toBeGreaterThan(0);
    // Room for the longest shard, but for less than whole gradients besides.
    const model = { fixed, perToken: per_token, host: [], hostPerToken: [] };
    const tight = Math.ceil(1024 + peakBytes(model, shard + 1) + more / 2);
    expect(planned("auto", `${Math.ceil(tight / 1024)} KiB`).training.reduction).toBe(
      "every-micro-batch",
    );
  });
});
