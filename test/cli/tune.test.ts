import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { conversation, files, project, skrull } from "./run.js";

const DATA = Array.from({ length: 24 }, (_, n) => conversation("z".repeat(3 + ((n * 97) % 600))));
const parts = { cluster: "{ gpus = 4 gpu = cpu }", model: CHECKPOINTED("full") };

function CHECKPOINTED(what: string) {
  return `{ config = "model.json" weights = random precision = fp32 checkpointing = ${what} }`;
}

const made = (texts: Readonly<Record<string, string>>) =>
  project({ ...files(parts), "data.jsonl": DATA.join(""), ...texts });
const read = (folder: string, name = "spec.skrull") => readFileSync(join(folder, name), "utf8");

describe("tune --write", () => {
  it("writes what it takes into the spec, shows that, and changes nothing else", () => {
    const cwd = made({});
    const before = read(cwd);
    const shown = skrull(["tune", "spec.skrull"], { cwd });
    expect(read(cwd)).toBe(before);
    expect(shown.stdout).not.toContain("+++");
    const run = skrull(["tune", "spec.skrull", "--write"], { cwd });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toContain(
      "\nWritten into spec.skrull:\n--- a/spec.skrull\n+++ b/spec.skrull\n",
    );
    const after = read(cwd);
    expect(after).toBe(before.replace("checkpointing = full", "checkpointing = none"));
    // What it took is then what the spec has, and the plan is what it was ranked by.
    const again = skrull(["tune", "spec.skrull", "--write"], { cwd });
    expect(again.stdout).toContain("\nspec.skrull is as it should be\n");
    expect(read(cwd)).toBe(after);
    const json = (verb: string) =>
      JSON.parse(skrull([verb, "spec.skrull", "--format", "json"], { cwd }).stdout);
    const taken = json("tune").settings.find((one: { chosen: boolean }) => one.chosen);
    const plan = json("plan");
    expect(taken.step_seconds).toBe(plan.forecast.step_seconds.mean);
    expect(taken.gpu_hours).toBe(plan.finish.gpu_hours);
    expect(taken.current).toBe(true);
  });

  it("keeps comments, and a formatted file formatted", () => {
    const cwd = made({});
    skrull(["fmt", "spec.skrull"], { cwd });
    const text = read(cwd).replace("\nmemory", "\n# Ours.\nmemory");
    const commented = project({
      ...files(parts),
      "data.jsonl": DATA.join(""),
      "spec.skrull": text,
    });
    expect(skrull(["tune", "spec.skrull", "--write"], { cwd: commented }).status).toBe(0);
    const after = read(commented);
    expect(after).toContain("# Ours.");
    expect(after).toContain("checkpointing = none");
    expect(skrull(["fmt", "spec.skrull", "--check"], { cwd: commented }).status).toBe(0);
  });

  it("changes one of several runs, and not the others", () => {
    const text = `${files(parts)["spec.skrull"]}run a { train { epochs = 2 } }\nrun b {}\n`;
    const cwd = made({ "spec.skrull": text });
    const run = skrull(["tune", "spec.skrull", "--run", "a", "--write"], { cwd });
    expect(run.status, run.stderr).toBe(0);
    expect(read(cwd)).toBe(
      text.replace("epochs = 2 } }", "epochs = 2 } model { checkpointing = none } }"),
    );
  });

  it("extends what the file imports, and leaves that alone", () => {
    const lib = `skrull 1\nmodel ours ${CHECKPOINTED("full")}\n`;
    const own = files(parts)["spec.skrull"] ?? "";
    const text = own
      .replace("skrull 1\n", 'skrull 1\nimport "lib.skrull"\n')
      .replace(/^model .*$/m, "model = ours");
    const cwd = made({ "spec.skrull": text, "lib.skrull": lib });
    const run = skrull(["tune", "spec.skrull", "--write"], { cwd });
    expect(run.status, run.stderr).toBe(0);
    expect(read(cwd)).toBe(
      text.replace("model = ours", "model extends ours { checkpointing = none }"),
    );
    expect(read(cwd, "lib.skrull")).toBe(lib);
  });

  it("says what to write where it cannot, and ends with 1", () => {
    const yaml = [
      "skrull: 1",
      "model: { config: model.json, weights: random, precision: fp32 }",
      "cluster: { gpus: 4, gpu: cpu }",
      "data: { train: [data.jsonl], tokenizer: bytes, max_length: 1K }",
      "memory: { budget: 1 GiB, reserve: 1 MiB, bucket: 1K }",
      "schedule: { global_batch: 12 }",
      "train: { optimizer: { type: adamw, lr: 1e-3 } }",
      "",
    ].join("\n");
    const cwd = made({ "a.skrull.yaml": yaml });
    const run = skrull(["tune", "a.skrull.yaml", "--write"], { cwd });
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/x the spec's tokens\/s:\n.*checkpointing = none/);
    expect(run.stderr).toMatch(
      /^error: a.skrull.yaml was not changed: .* cannot be added to YAML/m,
    );
    expect(read(cwd, "a.skrull.yaml")).toBe(yaml);
    const json = skrull(["tune", "a.skrull.yaml", "--write", "--format", "json"], { cwd });
    expect(JSON.parse(json.stdout).not_written).toContain("cannot be added to YAML");
  });
});

describe("prices and bands", () => {
  it("are columns and lines of tune, and fields of its document", () => {
    const cwd = made({});
    const run = skrull(["tune", "spec.skrull", "--rate", "2"], { cwd });
    expect(run.stdout).toMatch(/^ {2}CP .* rank-hours +cost$/m);
    const { settings, band } = JSON.parse(
      skrull(["tune", "spec.skrull", "--rate", "2", "--format", "json"], { cwd }).stdout,
    );
    expect(run.stdout).toMatch(/^The first \d+ differ by less than the \d+% that predictions/m);
    expect(run.stdout).toContain(` the ${Math.round(100 * band)}% that predictions may be off.\n`);
    for (const { fits, cost, gpu_hours } of settings)
      if (fits) expect(cost).toBeCloseTo(2 * gpu_hours, 9);
  });

  it("are what compare shows of a whole run", () => {
    const cwd = made({});
    const run = skrull(["compare", "spec.skrull", "--rate", "2"], { cwd });
    expect(run.stdout).toMatch(/^Fits: yes, /);
    expect(run.stdout).toMatch(/of a whole run +time to finish +rank-hours +cost\n/);
    expect(run.stdout).toMatch(/^~ within \d+% of auto, by which predictions may be off$/m);
    const document = JSON.parse(
      skrull(["compare", "spec.skrull", "--rate", "2", "--format", "json"], { cwd }).stdout,
    );
    expect(document.fit.fits).toBe(true);
    const plan = JSON.parse(
      skrull(["plan", "spec.skrull", "--rate", "2", "--format", "json"], { cwd }).stdout,
    );
    const own = document.policies.find((one: { policy: string }) => one.policy === "auto");
    expect(own.performance.step_seconds).toEqual(plan.forecast.step_seconds);
    expect(own.finish.cost).toBeCloseTo(plan.finish.cost, 9);
    for (const { performance, within_band, finish } of document.policies) {
      const ratio = performance.tokens_per_second / own.performance.tokens_per_second;
      expect(within_band).toBe(Math.max(ratio, 1 / ratio) <= 1 + document.band);
      expect(finish.seconds > plan.finish.seconds + 1e-9).toBe(ratio < 1 - 1e-9);
    }
  });

  it("are advice of a plan, where that is asked for", () => {
    const cwd = made({});
    const plain = skrull(["plan", "spec.skrull"], { cwd }).stdout;
    const { stdout } = skrull(["plan", "spec.skrull", "--advice"], { cwd });
    expect(stdout.startsWith(plain)).toBe(true);
    expect(stdout.slice(plain.length)).toMatch(
      /^\nWhat would make it cheaper:\n( {2}.* fewer .*\n)+/,
    );
    const json = (more: readonly string[]) =>
      JSON.parse(skrull(["plan", "spec.skrull", "--format", "json", ...more], { cwd }).stdout);
    const { advice, ...plan } = json(["--advice"]);
    expect(plan).toEqual(json([]));
    const tuned = JSON.parse(skrull(["tune", "spec.skrull", "--format", "json"], { cwd }).stdout);
    expect(advice).toEqual(tuned.savings);
    expect(advice.length).toBeGreaterThan(0);
  });
});
