import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files, project, skrull, spec } from "./run.js";

const RUNS = `${spec()}run short { train { steps = 2 } }\nrun long extends short { train { steps = 3 } }\n`;

describe("a file with several runs", () => {
  const cwd = project({ ...files(), "spec.skrull": RUNS });

  it("is linted whole, and asks which run to plan", () => {
    expect(skrull(["lint", "spec.skrull"], { cwd }).status).toBe(0);
    const plan = skrull(["plan", "spec.skrull"], { cwd });
    expect(plan.status).toBe(1);
    expect(plan.stderr).toContain("short, long");
    expect(skrull(["plan", "spec.skrull", "--run", "shrt"], { cwd }).stderr).toContain(
      "unknown-name",
    );
  });

  it("plans and compiles the one that is chosen", () => {
    for (const [run, steps] of [
      ["short", 2],
      ["long", 3],
    ] as const) {
      const plan = skrull(["plan", "spec.skrull", "--run", run, "--format", "json"], { cwd });
      expect(JSON.parse(plan.stdout).steps.total_steps, plan.stderr).toBe(steps);
    }
    const compiled = skrull(["compile", "spec.skrull", "--run", "long", "--out", "out"], { cwd });
    expect(compiled.status, compiled.stderr).toBe(0);
  });
});

const YAML = `skrull: 1
import: lib/machines.skrull
model: { config: model.json, weights: random, precision: fp32 }
cluster: two
data: { train: [data.jsonl], tokenizer: bytes, max_length: 1K }
parallel: { context: 2 }
memory: { budget: 1 GiB, reserve: 1 MiB, bucket: 1K }
schedule: { global_batch: 4 }
train: { optimizer: { type: adamw, lr: 1e-3 } }
`;
const MACHINES = "skrull 1\ncluster two { gpus = 2 gpu = cpu }\n";

describe("a spec in YAML", () => {
  const cwd = project({ ...files(), "s.skrull.yaml": YAML, "lib/machines.skrull": MACHINES });

  it("plans as the same spec does, and its run knows every file that it was made from", () => {
    const [yaml, own] = ["s.skrull.yaml", "spec.skrull"].map((name) =>
      JSON.parse(skrull(["plan", name, "--format", "json"], { cwd }).stdout),
    );
    expect(yaml).toEqual(own);
    const compiled = skrull(["compile", "s.skrull.yaml", "--out", "run"], { cwd });
    expect(compiled.status, compiled.stderr).toBe(0);
    const manifest = JSON.parse(readFileSync(join(cwd, "run/skrull.manifest.json"), "utf8"));
    expect(Object.keys(manifest.inputs)).toEqual(
      expect.arrayContaining(["s.skrull.yaml", "lib/machines.skrull", "data.jsonl"]),
    );
    writeFileSync(join(cwd, "lib/machines.skrull"), `${MACHINES}# changed\n`);
    expect(skrull(["compile", "s.skrull.yaml", "--out", "run", "--check"], { cwd }).status).toBe(1);
  });

  it("is found in a folder, with its diagnostics in its own lines", () => {
    writeFileSync(join(cwd, "s.skrull.yaml"), YAML.replace("context: 2", "context: 3"));
    const { stdout } = skrull(["lint", ".", "--format", "json"], { cwd });
    const [first] = JSON.parse(stdout).diagnostics;
    expect(first).toMatchObject({
      code: "ranks-not-divisible",
      file: "s.skrull.yaml",
      range: { start: { line: 6, column: 22 }, end: { line: 6, column: 23 } },
    });
  });
});

describe("an import", () => {
  it("stays inside the project, also through a link", () => {
    const cwd = project({
      "top/spec.skrull": `skrull 1\nimport "../lib.skrull"\n${spec().slice(9)}`,
      "top/link.skrull": `skrull 1\nimport "inside.skrull"\n${spec().slice(9)}`,
      "lib.skrull": MACHINES,
    });
    symlinkSync(join(cwd, "lib.skrull"), join(cwd, "top/inside.skrull"));
    for (const name of ["spec", "link"]) {
      const { status, stdout } = skrull(["lint", `top/${name}.skrull`], { cwd });
      expect(status).toBe(1);
      expect(stdout).toContain("it lies outside the project's folder");
    }
    writeFileSync(join(cwd, "skrull.config.yaml"), "");
    expect(skrull(["lint", "top"], { cwd }).stdout).toContain("0 errors");
  });
});
