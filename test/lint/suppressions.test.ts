import { describe, expect, it } from "vitest";
import { commentsInSpec } from "../../src/lint/comments.js";
import { suppress } from "../../src/lint/suppressions.js";
import { commentsInYaml } from "../../src/lint/yaml-comments.js";
import { DATA, MODEL } from "../cli/run.js";
import { apply } from "./apply.js";
import { lintProject } from "./project.js";

/** A spec with one warning, and a comment somewhere around it. */
const crossing = (comments: { before?: string; beside?: string; top?: string }) =>
  [
    "skrull 1",
    comments.top ?? "",
    'model { config = "model.json" weights = random precision = fp32 }',
    "cluster { nodes = 2 gpus = 2 gpu = cpu }",
    'data { train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K }',
    "parallel {",
    comments.before ?? "",
    `  context = 4 ${comments.beside ?? ""}`,
    "}",
    "memory { budget = 1 GiB reserve = 1 MiB bucket = 1K }",
    "schedule { global_batch = 4 }",
    "train { optimizer = adamw { lr = 1e-3 } }",
  ].join("\n");

async function found(text: string, config = ""): Promise<readonly string[]> {
  const files = { "model.json": MODEL, "data.jsonl": DATA, "spec.skrull": text };
  const more = config === "" ? {} : { "skrull.config.yaml": config };
  const diagnostics = await lintProject({ ...files, ...more });
  return diagnostics.map(({ code, message, range }) => `${range.start.line} ${code}: ${message}`);
}

const REPORTED = "8 group-crosses-nodes: a context-parallel group of 4 spans nodes of 2 GPUs";

describe("a suppression", () => {
  it.each([
    ["beside what is reported", { beside: "# skrull-ignore group-crosses-nodes: a fast network" }],
    ["in the other kind of comment", { beside: "// skrull-ignore group-crosses-nodes: fast" }],
    ["on the line before", { before: "  # skrull-ignore group-crosses-nodes: a fast network" }],
    [
      "with lines between that say nothing",
      { before: "# skrull-ignore group-crosses-nodes: fast\n\n # more" },
    ],
    ["of the whole file", { top: "# skrull-ignore-file group-crosses-nodes: a fast network" }],
  ])("holds %s", async (_, comments) => {
    expect(await found(crossing({}))).toEqual([REPORTED]);
    expect(await found(crossing(comments))).toEqual([]);
  });

  it("of the whole file that comes too late is to be moved", async () => {
    const text = crossing({ beside: "# skrull-ignore-file group-crosses-nodes: fast" });
    const files = { "model.json": MODEL, "data.jsonl": DATA, "spec.skrull": text };
    const late = (await lintProject(files)).find(
      ({ code }) => code === "suppression-without-reason",
    );
    expect(late?.help).toBe("Move it above everything but the version.");
  });

  it("does not hold elsewhere", async () => {
    const before = "  # skrull-ignore group-crosses-nodes: fast\n  zero = 2";
    expect(await found(crossing({ before }))).toEqual([
      "7 unused-suppression: nothing here reports 'group-crosses-nodes'",
      REPORTED.replace("8", "9"),
    ]);
  });

  it.each([
    ["# skrull-ignore group-crosses-nodes", "gives no reason"],
    ["# skrull-ignore group-crosses-nodes:  ", "gives no reason"],
    ["# skrull-ignore : why not", "names no rule"],
    ["# skrull-ignore", "names no rule"],
    [
      "# skrull-ignore-file group-crosses-nodes: fast",
      "of the whole file does not stand at its top",
    ],
  ])("does not count as %s", async (beside, problem) => {
    const own = `8 suppression-without-reason: this suppression ${problem}, so it does not count`;
    expect(await found(crossing({ beside }))).toEqual([REPORTED, own]);
  });

  it("is not made by what only looks like one", async () => {
    const log = 'log { wandb = "# skrull-ignore group-crosses-nodes: no comment" }';
    expect(await found(`${crossing({})}\n${log}`)).toEqual([REPORTED]);
    expect(await found(crossing({ beside: "# see skrull-ignore x: y" }))).toEqual([REPORTED]);
    expect(await found(crossing({ beside: "# skrull-ignored x: y" }))).toEqual([REPORTED]);
  });

  it("of an unknown rule suggests the one that was meant", async () => {
    const beside = "# skrull-ignore group-crosses-node: fast";
    expect(await found(crossing({ beside }))).toEqual([
      REPORTED,
      "8 unknown-suppressed-rule: there is no lint rule or warning 'group-crosses-node' to suppress",
    ]);
  });

  it("cannot hide an error of the language", async () => {
    const text = crossing({
      beside: "contxt = 2 # skrull-ignore unknown-key, group-crosses-nodes: why",
    });
    expect(await found(text)).toEqual([
      "8 unknown-key: 'parallel' has no key 'contxt'",
      "8 unsuppressible-error: 'unknown-key' is an error of the language and cannot be suppressed",
    ]);
  });

  it("is not called unused where its rule could not look, or is off", async () => {
    const beside = "# skrull-ignore overlong-samples-lost, group-crosses-nodes: both";
    expect(await found(crossing({ beside }))).toEqual([]);
    const config = "lint: { rules: { group-crosses-nodes: off } }";
    expect(await found(crossing({ beside }), config)).toEqual([]);
  });

  it("is not called unused where only a plan reports what it names", async () => {
    const codes = "warmup-too-long, end-token-split, template-differs, free-ranks-wait";
    const top = `# skrull-ignore-file ${codes}: told by skrull plan`;
    expect(await found(crossing({ top }))).toEqual([REPORTED]);
  });

  it("hides a rule that the configuration made an error", async () => {
    const config = "lint: { rules: { group-crosses-nodes: error } }";
    const beside = "# skrull-ignore group-crosses-nodes: fast";
    expect(await found(crossing({ beside }), config)).toEqual([]);
  });
});

describe("a suppression of a retired code", () => {
  /** A learning rate that is reported, with a comment beside it. */
  const fast = (comment: string) =>
    crossing({ top: "# skrull-ignore-file group-crosses-nodes: fast" })
      .replace('config = "model.json" weights = random', 'config = "model.json" path = "weights"')
      .replace("lr = 1e-3 } }", `lr = 1e-3 } } ${comment}`)
      .replace('tokenizer = "bytes"', 'tokenizer = "tok.json"');
  const UNUSUAL =
    "12 learning-rate-unusual: a learning rate of 1e-3 is high for pretrained weights";
  const of = async (text: string) =>
    (await found(text)).filter((line) => !line.includes("weights-not-found"));

  const RETIRED =
    "retired-code: 'learning-rate-high' became part of 'learning-rate-unusual' in 0.1.0";

  it("suppresses nothing of its successor, which reports more", async () => {
    expect(await of(fast(""))).toEqual([UNUSUAL]);
    const written = await of(fast("# skrull-ignore learning-rate-high: proved"));
    expect([...written].sort()).toEqual([UNUSUAL, `12 ${RETIRED}`]);
    const whole = fast("").replace("-file group", "-file learning-rate-high, group");
    expect(await of(whole)).toEqual([`2 ${RETIRED}`, UNUSUAL]);
  });

  it("is not called unused besides", async () => {
    expect(await of(crossing({ beside: "# skrull-ignore learning-rate-high: proved" }))).toEqual([
      REPORTED,
      `8 ${RETIRED}`,
    ]);
  });

  it("of a dropped one has no effect, and is no more than a remark", async () => {
    const text = crossing({ beside: "# skrull-ignore gain-too-small, group-crosses-nodes: fast" });
    expect(await found(text)).toEqual(["8 retired-code: 'gain-too-small' was dropped in 0.1.0"]);
  });

  it.each([
    ["# skrull-ignore adapter-rate-low: x", "# skrull-ignore learning-rate-unusual: x", false],
    ["a # skrull-ignore gain-too-small: x", "a", true],
    ["a # skrull-ignore gain-too-small, idle-ranks: x", "a # skrull-ignore idle-ranks: x", true],
  ])("is put right in %j, safely if that suppresses no more", (text, expected, safe) => {
    const { problems } = suppress({ file: "a.skrull", text }, [], new Set(), commentsInSpec(text));
    expect(problems.map(({ severity, fix }) => [severity, fix?.safe])).toEqual([["info", safe]]);
    expect(apply(text, problems[0]?.fix)).toBe(expected);
  });
});

describe("an unused suppression", () => {
  const fixed = (file: string, text: string): string => {
    const judged = new Set(["idle-ranks", "clip-unusual"] as const);
    const comments = file.endsWith(".yaml") ? commentsInYaml(text) : commentsInSpec(text);
    const { problems } = suppress({ file, text }, [], judged, comments);
    return problems.reduceRight((result, { fix }) => apply(result, fix), text);
  };

  it.each([
    ["a = 1 # skrull-ignore idle-ranks: x\nb", "a = 1\nb"],
    ["a\n  # skrull-ignore idle-ranks: x\n  b", "a\n  b"],
    ["a\r\n  # skrull-ignore idle-ranks: x\r\n  b", "a\r\n  b"],
    ["# skrull-ignore idle-ranks: x", ""],
    ["# skrull-ignore idle-ranks, overlong-samples: x", "# skrull-ignore overlong-samples: x"],
    ["# skrull-ignore overlong-samples, idle-ranks: x", "# skrull-ignore overlong-samples: x"],
  ])("is removed from %j", (text, expected) => {
    expect(fixed("a.skrull", text)).toBe(expected);
  });

  it("is found in YAML, and not in its strings", () => {
    const yaml =
      "skrull: 1\nmodel: # skrull-ignore idle-ranks: x\n  name: '# skrull-ignore clip-unusual: x'\n";
    expect(fixed("a.skrull.yaml", yaml)).toBe(yaml.replace(" # skrull-ignore idle-ranks: x", ""));
  });
});
