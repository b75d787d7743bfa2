import { describe, expect, it } from "vitest";
import { files, project, skrull, spec } from "../cli/run.js";
import { diskHost } from "../disk-host.js";
import { hostOf, lint, lintProject, measure } from "./project.js";

const CROSSING = { cluster: "{ nodes = 2 gpus = 2 gpu = cpu }", parallel: "{ context = 4 }" };
const SECRET = `hf_${"aB3".repeat(11)}`;

describe("skrull lint", () => {
  it("warns by rules, and exits with 1 where a configuration makes one an error", () => {
    const cwd = project(files(CROSSING));
    const warned = skrull(["lint", "spec.skrull"], { cwd });
    expect(warned.status).toBe(0);
    expect(warned.stdout).toContain("warning [group-crosses-nodes]");
    const strict = project({
      ...files(CROSSING),
      "skrull.config.yaml": "lint: { rules: { group-crosses-nodes: error } }",
    });
    expect(skrull(["lint", "spec.skrull"], { cwd: strict }).status).toBe(1);
  });

  it("shows what is wrong with a configuration in its own file, once", () => {
    const cwd = project({
      "a.skrull": spec(),
      "b.skrull": spec(),
      "model.json": files()["model.json"] ?? "",
      "skrull.config.yaml": "lint:\n  rules:\n    idle-rank: off\n",
    });
    const run = skrull(["lint", "."], { cwd });
    expect(run.status).toBe(1);
    expect(run.stdout.match(/\[unknown-rule\]/g)).toHaveLength(1);
    expect(run.stdout).toContain("skrull.config.yaml:3:5 error [unknown-rule]");
    expect(run.stdout).toContain("3 |     idle-rank: off");
    // Fixes are applied to specs alone.
    expect(run.stdout).toContain("2 files checked: 1 error, 0 warnings\n");
  });

  it("leaves excluded files out of folders, not where they are named", () => {
    const cwd = project({
      ...files(),
      "old/broken.skrull": "skrull 1\n",
      "skrull.config.yaml": 'lint: { exclude: ["old/**"] }',
    });
    expect(skrull(["lint", "."], { cwd }).stdout).toContain("1 file checked: 0 errors");
    expect(skrull(["lint", "old/broken.skrull"], { cwd }).status).toBe(1);
  });

  it("never prints a secret, wherever it stands", () => {
    const text = `${spec({ log: `{ wandb = "${SECRET}" }` })}# token ${SECRET}\nextra ${SECRET}\n`;
    const cwd = project({ ...files(), "spec.skrull": text });
    for (const format of ["pretty", "json"]) {
      const { stdout, stderr } = skrull(["lint", "spec.skrull", "--format", format], { cwd });
      expect(stdout.match(/\[secret-in-spec\]|"secret-in-spec"/g)).toHaveLength(3);
      expect(stdout + stderr).not.toContain(SECRET);
    }
  });

  it("never prints a secret without the words that gave it away", () => {
    const digits = "0123456789abcdef".repeat(3).slice(0, 40);
    const key = `sk-${"aB3".repeat(14)}`;
    const library = `skrull 1\nlet wandb_key = "${digits}"\nlet ${SECRET} = 1\n`;
    const cluster = "{ gpus = 1 gpu = cpu deepspeed = wandb_key }";
    const own = `import "keys.skrull"\n${spec({ cluster }).replace("skrull 1", "")}`;
    const wrong = `skrull 1\n${own}memory ${key} { }\nlog { steps = ${SECRET.slice(0, -1)} }\n`;
    const cwd = project({ ...files(), "keys.skrull": library, "spec.skrull": wrong });
    for (const format of ["pretty", "json", "sarif", "github"]) {
      const { stdout, stderr } = skrull(["lint", "spec.skrull", "--format", format], { cwd });
      expect(stdout).toContain("secret-in-spec");
      for (const secret of [digits, key, SECRET])
        expect(stdout + stderr).not.toContain(secret.slice(0, 16));
    }
  });

  it("knows the data after plan has measured it", () => {
    const cwd = project(files({ schedule: "{ global_batch = 6 }" }));
    const codes = () => skrull(["lint", "spec.skrull"], { cwd }).stdout.match(/\[[a-z-]+\]/g) ?? [];
    expect(codes()).not.toContain("[batch-exceeds-data]");
    expect(skrull(["plan", "spec.skrull"], { cwd }).status).toBe(0);
    expect(codes()).toContain("[batch-exceeds-data]");
  });
});

describe("skrull plan", () => {
  it("says that a credential goes into the run, and goes on", () => {
    const cwd = project(files({ log: `{ wandb = "${SECRET}" }` }));
    const { status, stderr } = skrull(["plan", "spec.skrull"], { cwd });
    expect(status).toBe(0);
    expect(stderr).toContain("warning [secret-in-spec]");
    expect(stderr).not.toContain(SECRET);
  });

  it("leaves out what the spec suppresses, and no error", () => {
    const data = (comment: string) =>
      `{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 128 ${comment} }`;
    const drop = "overlong = drop # skrull-ignore overlong-samples-lost: one long sample\n";
    const told = skrull(["plan", "spec.skrull"], { cwd: project(files({ data: data(drop) })) });
    expect(told).toMatchObject({ status: 0, stderr: "" });
    const error = "overlong = error # skrull-ignore-file overlong-samples: no\n";
    const hidden = `# skrull-ignore-file overlong-samples: no\n${spec({ data: data(error) })}`;
    const cwd = project({ ...files(), "spec.skrull": hidden });
    const failed = skrull(["plan", "spec.skrull"], { cwd });
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain("[overlong-samples]");
  });
});

describe("a file of several runs", () => {
  const text = `${spec()}run small { schedule { global_batch = 4 } }
run wide { cluster { nodes = 2 } parallel { context = 4 } }
run wider extends wide { train { steps = 5000 } }
`;

  it("is linted run by run, and what they share is told once", async () => {
    const found = await lintProject({ ...files(), "spec.skrull": text });
    const lines = found.map(({ code, range }) => `${range.start.line} ${code}`);
    expect(lines).toEqual(["10 group-crosses-nodes", "11 checkpoint-never"]);
  });

  it("has a finding in what they share named after those that it is about", async () => {
    const cluster = "{ gpus = 4 gpu = cpu }";
    const runs = "run one { }\nrun two { cluster { nodes = 2 gpus = 2 } }\n";
    const shared = spec({ cluster, parallel: "{ context = 4 }" }) + runs;
    const about = async (edited: string) =>
      (await lintProject({ ...files(), "spec.skrull": edited })).map(({ code, related = [] }) => [
        code,
        ...related.map(({ message, range }) => `${range.start.line}: ${message}`),
      ]);
    expect(await about(shared)).toEqual([["group-crosses-nodes", "10: found in the run 'two'"]]);
    const both = shared.replace("one { }", "one { cluster { nodes = 2 gpus = 2 } }");
    expect(await about(both)).toEqual([["group-crosses-nodes"]]);
  });

  it("is measured and linted with the data of each", async () => {
    const host = diskHost({ ...files(), "spec.skrull": text.replace("= 4 }", "= 6 }") });
    await measure(host, "spec.skrull", text);
    const codes = (await lint(host, "spec.skrull")).map(({ code }) => code);
    expect(codes).toContain("batch-exceeds-data");
  });
});

describe("an imported file", () => {
  const machines = (comment: string) => `skrull 1\nparallel wide { context = 4 ${comment} }\n`;
  const main = `skrull 1\nimport "machines.skrull"\nparallel = wide\n${spec({
    cluster: "{ nodes = 2 gpus = 2 gpu = cpu }",
  })
    .replace("skrull 1\n", "")
    .replace(/^parallel.*\n/m, "")}`;

  it("is where its values are reported, and suppresses there", async () => {
    const of = async (comment: string) =>
      (
        await lintProject({
          ...files(),
          "machines.skrull": machines(comment),
          "spec.skrull": main,
        })
      ).map(({ code, file, range }) => `${file}:${range.start.line} ${code}`);
    expect(await of("")).toEqual(["machines.skrull:2 group-crosses-nodes"]);
    expect(await of("# skrull-ignore group-crosses-nodes: fast\n")).toEqual([]);
  });

  it("alone is a library: only its text is looked at", async () => {
    const library = { "spec.skrull": machines(`// ${SECRET}\n`) };
    expect((await lintProject(library)).map(({ code }) => code)).toEqual(["secret-in-spec"]);
  });
});

describe("a file of several runs", () => {
  const runs = (second: string) =>
    `${spec({ schedule: "{ global_batch = 4 iterations = 9 }" })}
run slow { schedule { mode = planned } }
run fast { ${second} }
`;

  it("keeps a value that one of them needs", async () => {
    const found = async (text: string) =>
      (await lintProject({ ...files(), "spec.skrull": text })).map(
        ({ code, range }) => `${range.start.line} ${code}`,
      );
    expect(await found(runs(""))).toEqual([]);
    expect(await found(runs("schedule { iterations = 5 }"))).toEqual([
      expect.stringMatching(/ key-without-effect$/),
    ]);
    expect(await found(runs("").replace("mode = planned", ""))).toEqual([
      expect.stringMatching(/ key-without-effect$/),
    ]);
  });
});

describe("a spec in YAML", () => {
  const yaml = (comment: string) => `skrull: 1
model: { config: model.json, weights: random, precision: fp32 }
cluster: { nodes: 2, gpus: 2, gpu: cpu }
data: { train: [data.jsonl], tokenizer: bytes, max_length: 1K }
parallel:
  context: 4 ${comment}
memory: { budget: 1 GiB, reserve: 1 MiB, bucket: 1K }
schedule: { global_batch: 4 }
train: { optimizer: { type: adamw, lr: 1e-3 } }
`;

  it("is linted by the same rules, and suppresses in its comments", async () => {
    const of = async (comment: string) => {
      const host = hostOf({ ...files(), "spec.skrull.yaml": yaml(comment) });
      const found = await lint(host, "spec.skrull.yaml");
      return found.map(({ code, range }) => `${range.start.line}:${range.start.column} ${code}`);
    };
    expect(await of("")).toEqual(["6:12 group-crosses-nodes"]);
    expect(await of("# skrull-ignore group-crosses-nodes: fast")).toEqual([]);
  });
});
