import { beforeAll, describe, expect, it } from "vitest";
import { MODEL, project, skrull, spec } from "../cli/run.js";
import { hostOf, lint } from "./project.js";

const CROSSING = spec({
  cluster: "{ nodes = 2 gpus = 2 gpu = cpu }",
  parallel: "{ context = 4 }",
  train: "{ optimizer = adamw { lr = 1e-3 } clip_norm = 50 }",
});
const SPEC = { "a/spec.skrull": CROSSING, "a/model.json": MODEL };
const findings = async (outer: string, nearer: string) => {
  const files = { ...SPEC, "skrull.config.yaml": outer, "a/skrull.config.yaml": nearer };
  return (await lint(hostOf(files), "a/spec.skrull")).map(
    ({ code, severity, file }) => `${file} ${code} ${severity}`,
  );
};
const rules = (text: string) => `lint: { rules: { ${text} } }`;

describe("a nearer configuration", () => {
  it("adds to the outer one, rule by rule and option by option", async () => {
    const most = rules("clip-unusual: { most: 10 }");
    expect(await findings(most, rules("group-crosses-nodes: off"))).toEqual([
      "a/spec.skrull clip-unusual warning",
    ]);
    const off = rules("clip-unusual: off, group-crosses-nodes: off");
    expect(await findings(off, most)).toEqual([]);
    expect(await findings(off, rules("clip-unusual: { most: 10, level: error }"))).toEqual([
      "a/spec.skrull clip-unusual error",
    ]);
  });

  it("is alone where it is the root", async () => {
    const off = rules("group-crosses-nodes: off");
    expect(await findings(off, "lint: {}")).toEqual([]);
    expect(await findings(off, "root: true\nlint: {}")).toEqual([
      "a/spec.skrull group-crosses-nodes warning",
    ]);
    expect(await findings(off, "{ root: true }")).toEqual([
      "a/skrull.config.yaml invalid-config error",
    ]);
  });

  it("that is wrong leaves the outer one in force", async () => {
    expect(await findings(rules("group-crosses-nodes: off"), "lint: { rule: 1 }")).toEqual([
      "a/skrull.config.yaml invalid-config error",
    ]);
  });
});

describe("in a repository", () => {
  let cwd = "";
  const run = (...arguments_: readonly string[]) => skrull(["lint", ...arguments_], { cwd });
  beforeAll(() => {
    cwd = project({
      ".git/HEAD": "",
      "skrull.config.yaml":
        'lint: { exclude: ["attic/**"], rules: { clip-unusual: { most: 10 } } }',
      "attic/old.skrull": "nonsense",
      "attic/skrull.config.yaml": "lint: {}",
      "team/skrull.config.yaml":
        'lint: { exclude: ["draft.skrull"], rules: { group-crosses-nodes: off } }',
      "team/draft.skrull": "nonsense",
      "team/spec.skrull": CROSSING,
      "team/model.json": MODEL,
    });
  });

  it("every configuration on the way leaves files out, of named ones only by --force-exclude", () => {
    expect(run(".").stdout).toContain("1 file checked");
    const named = ["attic/old.skrull", "team/draft.skrull", "team/spec.skrull"];
    expect(run(...named).stdout).toContain("3 files checked");
    const forced = run("--force-exclude", ...named);
    expect(forced.stdout).toContain("1 file checked: 0 errors, 1 warning");
    expect(run("--force-exclude", "attic/old.skrull")).toMatchObject({
      status: 0,
      stdout: "0 files checked: 0 errors, 0 warnings\n",
    });
  });

  it("--print-config says what holds for a file, and whence", () => {
    const { status, stdout } = run("--print-config", "team/draft.skrull");
    expect(status).toBe(0);
    expect(stdout).toContain("project   ., which has the repository's .git\n");
    expect(stdout).toContain("read      skrull.config.yaml, then team/skrull.config.yaml\n");
    expect(stdout).toMatch(/exclude {3}draft\.skrull +team\/skrull\.config\.yaml\n/);
    expect(stdout).toContain("left out  yes");
    expect(stdout).toMatch(/group-crosses-nodes +off +team\/skrull\.config\.yaml\n/);
    expect(stdout).toMatch(
      /clip-unusual +warning +default\n +least +0\.01 +default\n +most +10 +skrull\.config\.yaml\n/,
    );
    const json = JSON.parse(run("--print-config", "team/spec.skrull", "--format", "json").stdout);
    expect(json).toMatchObject({
      format_version: 1,
      file: "team/spec.skrull",
      project: { folder: ".", because: "which has the repository's .git" },
      configurations: ["skrull.config.yaml", "team/skrull.config.yaml"],
      excluded: false,
      diagnostics: [],
    });
    expect(json.rules).toContainEqual({
      code: "clip-unusual",
      level: { value: "warning", from: "default" },
      options: expect.arrayContaining([{ name: "most", value: 10, from: "skrull.config.yaml" }]),
    });
  });

  it("--print-config takes one file that is there", () => {
    expect(run("--print-config", "no.skrull").status).toBe(2);
    expect(run("--print-config", "team").status).toBe(2);
    expect(run("--print-config", "team/spec.skrull", "team").status).toBe(2);
    expect(run("--print-config", "team/spec.skrull", "--format", "sarif").status).toBe(2);
    expect(run().status).toBe(2);
  });
});
