import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { conversation, DATA, files, project, skrull, spec } from "./run.js";

const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

describe("every verb", () => {
  for (const verb of ["", "lint", "plan", "compile", "lengths", "schedule", "explain"]) {
    it(`${verb} --help exits with 0`, () => {
      const run = skrull([verb, "--help"].filter(Boolean));
      expect(run.status).toBe(0);
      expect(run.stdout).toMatch(/^Usage: skrull/);
    });
  }
  it("--version exits with 0", () => expect(skrull(["--version"])).toMatchObject({ status: 0 }));
  it("is told apart from an unknown one", () => expect(skrull(["frobnicate"]).status).toBe(2));
  it("says which option it misses", () => {
    const run = skrull(["compile", "x.skrull"]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain("--out");
  });
});

describe("lint", () => {
  it("gives the contract's JSON, and 1 on errors", () => {
    const folder = project({
      "a.skrull": spec({ parallel: "{ context = 3 zero = 9 }" }),
      "sub/b.skrull": spec(),
    });
    const run = skrull(["lint", ".", "--format", "json"], { cwd: folder });
    expect(run.status).toBe(1);
    const document = JSON.parse(run.stdout);
    expect(document).toMatchObject({ format_version: 1, summary: { errors: 1, warnings: 0 } });
    expect(document.diagnostics[0]).toMatchObject({
      code: "out-of-range",
      severity: "error",
      file: "a.skrull",
      range: { start: { line: 5, column: 31 }, end: { line: 5, column: 32 } },
    });
  });

  it("exits with 0 on a clean spec and 2 on what cannot be read", () => {
    const folder = project({
      "a.skrull": spec(),
      "empty/x.txt": "",
    });
    expect(skrull(["lint", "a.skrull"], { cwd: folder }).status).toBe(0);
    for (const path of ["missing.skrull", "empty"]) {
      const run = skrull(["lint", path], { cwd: folder });
      expect(run.status).toBe(2);
      expect(run.stderr).toMatch(/^error: /);
    }
  });

  it("denies warnings when told to", () => {
    const folder = project({ "a.skrull": spec({ cluster: "{ nodes = 2 gpus = 1 gpu = cpu }" }) });
    expect(skrull(["lint", "a.skrull"], { cwd: folder }).status).toBe(0);
    expect(skrull(["lint", "a.skrull", "--deny-warnings"], { cwd: folder }).status).toBe(1);
  });
});

describe("plan", () => {
  it("prints within 80 columns, and as JSON, and writes nothing", () => {
    const folder = project(files());
    const before = readdirSync(folder);
    const pretty = skrull(["plan", "spec.skrull"], { cwd: folder });
    expect(pretty).toMatchObject({ status: 0, stderr: "" });
    expect(Math.max(...pretty.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(
      80,
    );
    const json = skrull(["plan", "spec.skrull", "--format", "json"], { cwd: folder });
    const plan = JSON.parse(json.stdout);
    expect(plan).toMatchObject({
      format_version: 1,
      topology: { ranks: 2, data_parallel: 1, context_parallel: 2, zero_stage: 2 },
      memory: { bucket: 1024, bucket_from: "spec" },
      data: { summary: { samples: 5, malformed_lines: 0 } },
      // A step has one micro-batch, so one reduction a step would save none.
      training: { reduction: "every-micro-batch" },
      scheduling: { objective: "lockstep", padding: "zigzag" },
      steps: { steps_per_epoch: 2, last_batch: 1, total_steps: 2 },
    });
    expect(readdirSync(folder).filter((name) => name !== ".skrull-test-cache")).toEqual(before);
  });

  it("names levers that really make the longest sequence fit", () => {
    const data = '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1M }';
    const memory = "{ budget = 40 MiB reserve = 1 MiB }";
    const parts = { data, memory, cluster: "{ gpus = 4 gpu = cpu }" };
    const long = { ...files(parts), "data.jsonl": conversation("x".repeat(16_000)) };
    const run = skrull(["plan", "spec.skrull"], { cwd: project(long) });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("[sequence-too-long]");
    const budget = /a budget of ([\d.]+) MiB more/.exec(run.stderr)?.[1];
    const enough = `{ budget = ${41 + Math.ceil(Number(budget))} MiB reserve = 1 MiB }`;
    const again = project({ ...long, "spec.skrull": spec({ ...parts, memory: enough }) });
    expect(skrull(["plan", "spec.skrull"], { cwd: again }).stderr).not.toContain(
      "sequence-too-long",
    );
  });

  it("reports malformed data with file and line, and tolerates what the spec allows", () => {
    const bad = { "data.jsonl": `${DATA}{"messages": 3}\n` };
    const refused = skrull(["plan", "spec.skrull"], { cwd: project({ ...files(), ...bad }) });
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain('data.jsonl:6 has no list "messages"');
    const data = '{ train = ["*.jsonl"] tokenizer = "bytes" max_length = 1K malformed = 1 }';
    const tolerated = skrull(["plan", "spec.skrull"], {
      cwd: project({ ...files({ data }), ...bad }),
    });
    expect(tolerated.status).toBe(0);
    expect(tolerated.stderr).toContain("[malformed-data-tolerated]");
  });

  const overlong = (policy: string) =>
    `{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 100 overlong = ${policy} }`;
  it("applies the over-long policy and reports its losses", () => {
    const summary = (policy: string) => {
      const folder = project(files({ data: overlong(policy) }));
      const run = skrull(["plan", "spec.skrull", "--format", "json"], { cwd: folder });
      return { run, summary: run.status === 0 ? JSON.parse(run.stdout).data.summary : undefined };
    };
    expect(summary("drop").summary).toMatchObject({
      samples: 4,
      overlong: { rows: 1, tokens_lost: 323 },
    });
    const cut = summary("truncate").summary;
    expect(cut).toMatchObject({
      samples: 5,
      longest: 100,
      overlong: { rows: 1, tokens_lost: 223 },
    });
    expect(summary("error").run.stderr).toContain("longest has 323 (data.jsonl:3)");
  });
});

describe("compile", () => {
  it("gives the same bytes twice, and no absolute path", () => {
    const folder = project(files());
    for (const out of ["one", "two"]) {
      expect(skrull(["compile", "spec.skrull", "--out", out], { cwd: folder }).status).toBe(0);
    }
    const names = readdirSync(join(folder, "one"), { recursive: true, encoding: "utf8" }).sort();
    expect(names).toEqual(
      readdirSync(join(folder, "two"), { recursive: true, encoding: "utf8" }).sort(),
    );
    for (const name of names.filter((n) => /\.\w+$/.test(n))) {
      expect(read(folder, `one/${name}`)).toBe(read(folder, `two/${name}`));
      expect(read(folder, `one/${name}`)).not.toContain(folder);
    }
    const expected = [
      "ds_config.json",
      "sampler.py",
      "train.py",
      "launch.sh",
      "plan.json",
      "requirements.txt",
    ];
    for (const name of [...expected, "config.json", "skrull.manifest.json", "skrull_runtime"]) {
      expect(names).toContain(name);
    }
  });

  it("ends with how the run is started, on one machine and on several", () => {
    const nodes = (more: string) => `{ nodes = 2 gpus = 1 gpu = cpu ${more} }`;
    const folder = project({
      ...files(),
      "nodes.skrull": spec({ cluster: nodes("launcher = torchrun") }),
      "hosts.skrull": spec({ cluster: nodes('hosts = ["node-a", "node-b"]') }),
    });
    const compile = (name: string) =>
      skrull(["compile", `${name}.skrull`, "--out", "my run"], { cwd: folder }).stdout;
    const install = "  pip install -r 'my run/requirements.txt'\n";
    expect(compile("spec")).toContain(
      `\nNext, on the machine that trains:\n${install}  bash 'my run/launch.sh'\n`,
    );
    expect(compile("nodes")).toContain(
      `\nNext, on every one of the 2 nodes, NODE_RANK from 0 to 1:\n${install}` +
        "  NODE_RANK=0 MASTER_ADDR=address-of-node-0 bash 'my run/launch.sh'\n",
    );
    expect(compile("hosts")).toContain(
      `${install}  bash 'my run/launch.sh'  # on one of the hosts, or any machine that reaches them over ssh\n`,
    );
    expect(
      skrull(["compile", "hosts.skrull", "--out", "my run", "--check"], { cwd: folder }).stdout,
    ).toBe("my run is up to date\n");
  });

  const elsewhere = "/dev/shm";
  it.skipIf(!existsSync(elsewhere))("names the data's folder where a run has no way to it", () => {
    const folder = project(files());
    const out = join(elsewhere, basename(folder));
    const run = skrull(["compile", "spec.skrull", "--out", out], { cwd: folder });
    rmSync(out, { recursive: true, force: true });
    expect(run.stdout).toContain(`\n  SKRULL_DATA_ROOT=${folder} bash ${out}/launch.sh\n`);
  });

  it("says plainly where it cannot write", () => {
    const folder = project(files());
    for (const out of ["/proc/skrull", "data.jsonl"]) {
      const run = skrull(["compile", "spec.skrull", "--out", out], { cwd: folder });
      expect(run.status).toBe(2);
      expect(run.stderr).toMatch(/error: .*(no such file|not a folder|permission)/);
    }
  });

  it("keeps edited files unless forced, and --check tells", () => {
    const folder = project(files());
    const compile = (...more: string[]) =>
      skrull(["compile", "spec.skrull", "--out", "run", ...more], { cwd: folder });
    expect(compile("--check").status).toBe(1);
    expect(compile().status).toBe(0);
    expect(compile("--check").status).toBe(0);
    expect(compile().status).toBe(0);
    writeFileSync(join(folder, "run/train.py"), "# mine\n");
    expect(compile("--check").status).toBe(1);
    const refused = compile();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("train.py");
    expect(read(folder, "run/train.py")).toBe("# mine\n");
    expect(compile("--force").status).toBe(0);
    expect(read(folder, "run/train.py")).not.toBe("# mine\n");
  });
});

describe("lengths", () => {
  it("prints statistics, JSON, and a file of lengths", () => {
    const folder = project({ "data.jsonl": DATA });
    const arguments_ = ["lengths", "data.jsonl", "--tokenizer", "bytes"];
    const pretty = skrull(arguments_, { cwd: folder });
    expect(pretty.status).toBe(0);
    expect(pretty.stdout).toMatch(/samples +5\n/);
    const json = skrull([...arguments_, "--format", "json", "--out", "out.txt"], { cwd: folder });
    const { lengths } = JSON.parse(json.stdout).files[0];
    expect(lengths).toEqual([24, 25, 323, 24, 73]);
    expect(read(folder, "out.txt")).toBe(lengths.map((n: number) => `${n}\n`).join(""));
  });

  it("exits with 1 on malformed lines and 2 on what is not there", () => {
    const folder = project({ "data.jsonl": "nonsense\n" });
    const malformed = skrull(["lengths", "data.jsonl", "--tokenizer", "bytes"], { cwd: folder });
    expect(malformed.status).toBe(1);
    expect(malformed.stdout).toContain("data.jsonl:1: is not JSON");
    expect(
      skrull(["lengths", "nothing.jsonl", "--tokenizer", "bytes"], { cwd: folder }).status,
    ).toBe(2);
    expect(
      skrull(["lengths", "data.jsonl", "--tokenizer", "none.json"], { cwd: folder }).status,
    ).toBe(2);
    const notOne = skrull(["lengths", "data.jsonl", "--tokenizer", "data.jsonl"], { cwd: folder });
    expect(notOne.status).toBe(2);
    expect(notOne.stderr).toContain("is not a tokenizer");
  });
});

describe("schedule", () => {
  const problem = {
    format_version: 1,
    lengths: [5026, 1220],
    data_parallel: 1,
    context_parallel: 2,
    bucket: 8192,
  };
  const cost = { a1: 5.944, a2: 0.00129, fixed: 1000, comm: { 2: [3836.9, 4320, 0.1326] } };
  const solve = (input: string) => {
    const run = skrull(["schedule"], { input });
    return { status: run.status, document: JSON.parse(run.stdout) };
  };

  it("answers a problem and says how long it took", () => {
    const { status, document } = solve(JSON.stringify({ ...problem, cost }));
    expect(status).toBe(0);
    expect(document).toMatchObject({ format_version: 1, policy: "auto", objective: "lockstep" });
    expect(document.scheduling_ms).toBeGreaterThan(0);
  });

  it("tells an infeasible problem (1) from no problem (2)", () => {
    const long = solve(JSON.stringify({ ...problem, cost, lengths: [1, 99_999] }));
    expect(long).toMatchObject({
      status: 1,
      document: { error: { code: "sequence-too-long", sequence: 1 } },
    });
    for (const input of ["", "{", "[]", JSON.stringify(problem)]) {
      expect(solve(input)).toMatchObject({
        status: 2,
        document: { error: { code: "invalid-problem" } },
      });
    }
  });
});
