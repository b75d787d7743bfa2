import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { analyze } from "../../src/semantics/analyze.js";
import { DATA, files, project, ROOT, skrull } from "./run.js";

/** How each run of an example is asked for; a file that only declares names has none. */
function chosen(path: string): readonly string[] {
  const { runs } = analyze(path, readFileSync(join(ROOT, path), "utf8"), {
    load: (other) => ({ text: readFileSync(join(ROOT, other), "utf8") }),
  });
  return runs.map(({ name }) => (name === undefined ? path : `${path} --run ${name}`));
}

const EXAMPLES = readdirSync(join(ROOT, "examples")).flatMap((folder) =>
  readdirSync(join(ROOT, "examples", folder))
    .filter((name) => name.endsWith(".skrull"))
    .flatMap((name) => chosen(`examples/${folder}/${name}`)),
);

describe.each(EXAMPLES)("%s", (example) => {
  it.each(["plan", "compare", "tune"])("is readable at 80 columns in %s", (verb) => {
    const run = skrull([verb, ...example.split(" ")]);
    expect(run.status, run.stderr).toBe(0);
    const widest = Math.max(...run.stdout.split("\n").map((line) => line.length));
    expect(widest).toBeLessThanOrEqual(80);
    expect(run.stdout).toMatchSnapshot();
  });
});

describe("compare", () => {
  const json = (arguments_: readonly string[]) => {
    const run = skrull(["compare", "spec.skrull", "--format", "json", ...arguments_], {
      cwd: project(files()),
    });
    expect(run.status, run.stderr).toBe(0);
    return JSON.parse(run.stdout);
  };

  it("always has the baselines, and LongAlign's own batching", () => {
    const { format_version, policies } = json(["--policies", "dacp, auto"]);
    expect(format_version).toBe(1);
    expect(policies.map((one: { policy: string }) => one.policy)).toEqual([
      "deepspeed",
      "packed",
      "sorted",
      "longalign",
      "dacp",
      "auto",
    ]);
  });

  it("shows how other programs would do where it is asked to", () => {
    const names = (chosen: string) =>
      json(["--policies", chosen]).policies.map((one: { policy: string }) => one.policy);
    expect(names("wlb")).toEqual(["deepspeed", "packed", "sorted", "longalign", "wlb"]);
    const all = json(["--policies", "auto,peers"]).policies;
    expect(all.slice(4).map((one: { policy: string }) => one.policy)).toEqual([
      "batch-rebalance",
      "karmarkar-karp",
      "wlb",
      "megatron-hybrid",
      "auto",
    ]);
    for (const { policy, performance, problem } of all)
      expect([policy, problem, performance?.tokens_per_second > 0]).toEqual([policy, null, true]);
  });

  it("has parts that add up to the step, and speed-ups over deepspeed", () => {
    for (const { performance, speedup, policy } of json([]).policies) {
      const { work, communication, fixed, waiting, step } = performance.parts;
      const sum = work + communication + fixed + waiting + step;
      expect(sum / performance.step_seconds.mean).toBeCloseTo(1, 9);
      if (policy === "deepspeed") expect(speedup).toBe(1);
      if (policy === "auto") expect(speedup).toBeGreaterThanOrEqual(1);
    }
  });

  it("refuses a policy that there is not", () => {
    const run = skrull(["compare", "spec.skrull", "--policies", "best"], {
      cwd: project(files()),
    });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/'best' is not a policy; the policies are deepspeed/);
  });

  it("says where a policy has no schedule", () => {
    // One micro-batch of this bucket holds the longest sample only when it is sharded alone.
    const memory = "{ budget = 1 GiB reserve = 1 MiB bucket = 220 }";
    const run = skrull(["compare", "spec.skrull"], {
      cwd: project({ ...files({ memory }), "data.jsonl": DATA }),
    });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^ {2}auto .* x$/m);
  });
});

describe("tune", () => {
  const settings = (parts: Readonly<Record<string, string>>) => {
    const cwd = project(files({ cluster: "{ gpus = 4 gpu = cpu }", ...parts }));
    const run = skrull(["tune", "spec.skrull", "--format", "json"], { cwd });
    return { run, settings: JSON.parse(run.stdout).settings };
  };

  it("ranks every CP degree, ZeRO stage, recomputation and C by tokens per second", () => {
    const { run, settings: found } = settings({});
    expect(run.status).toBe(0);
    expect(found).toHaveLength(3 * 4 * 5 * 2);
    const speeds = found.map((one: { tokens_per_second?: number }) => one.tokens_per_second ?? 0);
    expect(speeds).toEqual([...speeds].sort((a, b) => b - a));
    expect(found.filter((one: { current: boolean }) => one.current)).toHaveLength(1);
  });

  it("says what is in the way of settings that do not fit", () => {
    const { settings: found } = settings({
      memory: "{ budget = 1 GiB reserve = 1 MiB bucket = 100 }",
      parallel: "{ context = 4 }",
    });
    const narrow = found.find(
      (one: { context: number; bucket: number | null }) => one.context === 1 && one.bucket === 100,
    );
    expect(narrow).toMatchObject({ fits: false });
    expect(narrow.problem).toMatch(/longest/);
  });

  it("exits with 1 where nothing fits", () => {
    const { run } = settings({ memory: "{ budget = 2 MiB reserve = 1 MiB }" });
    expect(run.status).toBe(1);
  });
});

describe("the longest sample that fits", () => {
  it("is told beside a max_length that the data does not have and memory does not hold", () => {
    const data = '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 4K }';
    const cwd = project(files({ data, parallel: "{ context = 2 }" }));
    const { stdout } = skrull(["plan", "spec.skrull"], { cwd });
    expect(stdout).toMatch(
      /longest sample that fits +2,048 tokens\n +max_length, which none reaches +4,096/,
    );
    expect(skrull(["plan", "spec.skrull"], { cwd: project(files()) }).stdout).not.toContain(
      "none has",
    );
  });
});

describe("context = auto", () => {
  it("takes the degree that tune ranks first among those of the spec", () => {
    const parts = { cluster: "{ gpus = 4 gpu = cpu }", parallel: "{ context = auto }" };
    const cwd = project(files(parts));
    const plan = JSON.parse(skrull(["plan", "spec.skrull", "--format", "json"], { cwd }).stdout);
    const { settings: tuned } = JSON.parse(
      skrull(["tune", "spec.skrull", "--format", "json"], { cwd }).stdout,
    );
    const best = tuned.find(
      (one: { zero: number; checkpointing: string; bucket: number | null }) =>
        one.zero === 2 && one.checkpointing === "selective" && one.bucket === 1024,
    );
    expect(plan.topology.context_parallel).toBe(best.context);
    expect(tuned.filter(({ current }: { current: boolean }) => current)).toEqual([best]);
    const { stderr } = skrull(["plan", "spec.skrull"], { cwd });
    expect(stderr).toMatch(/info \[context-chosen\]\s+context = auto takes \d+:.*next best is \d+/);
  });

  it("is refused as another word", () => {
    const cwd = project(files({ parallel: "{ context = best }" }));
    const run = skrull(["lint", "spec.skrull"], { cwd });
    expect(run.status).toBe(1);
    expect(run.stdout).toMatch(/a whole number or auto/);
  });
});
