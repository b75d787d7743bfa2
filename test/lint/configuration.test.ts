import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { rulesHelp } from "../../src/cli/rules-help.js";
import { CATALOGUE } from "../../src/diagnostics/catalogue.js";
import { CONFIGURATION_SCHEMA } from "../../src/lint/configuration-schema.js";
import { lintRules } from "../../src/lint/lint-rules.js";
import { readConfiguration } from "../../src/lint/read-configuration.js";
import { defineRule } from "../../src/lint/rule.js";
import { RULES } from "../../src/lint/rules/index.generated.js";
import { RULES_OF_TOPIC } from "../../src/lint/rules/topics.generated.js";
import { rulesPage } from "../../src/lint/rules-page.js";
import { TOPICS, type Topic } from "../../src/lint/topics.js";
import { analyze } from "../../src/semantics/analyze.js";
import type { SourceDocument } from "../../src/semantics/document.js";
import { DATA, MODEL, spec } from "../cli/run.js";
import { hostOf, lint, lintProject } from "./project.js";

const FILES = { "model.json": MODEL, "data.jsonl": DATA };
const CROSSING = spec({
  cluster: "{ nodes = 2 gpus = 2 gpu = cpu }",
  parallel: "{ context = 4 }",
});

/** `line:column code text: message`, the text being what the range covers. */
function found(text: string): readonly string[] {
  const { diagnostics } = readConfiguration("skrull.config.yaml", text, "/project");
  return diagnostics.map(({ code, message, range: { start, end } }) => {
    const line = text.split("\n")[start.line - 1] ?? "";
    const covered = line.slice(
      start.column - 1,
      end.line === start.line ? end.column - 1 : undefined,
    );
    return `${start.line}:${start.column} ${code} ${covered}: ${message}`;
  });
}

describe("a configuration", () => {
  it.each([
    ["nothing", ""],
    ["a comment", "# nothing yet\n"],
    ["sections without a line", "lint:\n  rules:\n  exclude:\n"],
    ["no section", "lint:\n"],
    ["levels", "lint:\n  rules:\n    idle-ranks: off\n    group-crosses-nodes: error\n"],
    ["options", "lint: { rules: { overlong-samples-lost: { share: 0.2, level: info } } }"],
    ["exclusions", "lint: { exclude: ['old/**'] }"],
  ])("may hold %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });

  it.each([
    [
      "lint:\n  rules:\n    idle-rank: off\n",
      ["3:5 unknown-rule idle-rank: there is no lint rule 'idle-rank'"],
    ],
    [
      "lint:\n  rules:\n    idle-ranks: loud\n",
      ["3:17 invalid-config loud: 'idle-ranks' must be one of off, info, warning, error"],
    ],
    [
      "lint:\n  rules:\n    overlong-samples-lost: { share: 2 }\n",
      ["3:37 invalid-config 2: 'share' must be <= 1"],
    ],
    [
      "lint:\n  rules:\n    overlong-samples-lost: { shre: 0.1 }\n",
      ["3:30 invalid-config shre: there is no key 'shre' in 'overlong-samples-lost'"],
    ],
    ["lints: {}\n", ["1:1 invalid-config lints: there is no key 'lints' in the file"]],
    ["- a\n", ["1:1 invalid-config - a: 'the file' must be object"]],
    ["lint: { exclude: 'a' }\n", ["1:18 invalid-config 'a': 'exclude' must be array"]],
  ])("is held to its schema: %j", (text, expected) => {
    expect(found(text)).toEqual(expected);
  });

  it("must be YAML", () => {
    expect(found("lint: {\n")[0]).toMatch(/^2:1 invalid-config .*is not YAML/);
  });

  it("suggests the rule that was meant", () => {
    const text = "lint: { rules: { idle-rank: off } }";
    const [first] = readConfiguration("c.yaml", text, "/").diagnostics;
    expect(first?.help).toBe("Did you mean idle-ranks?");
    expect(first?.fix?.edits[0]?.new_text).toBe("idle-ranks");
  });

  it("may name a code of an earlier version, with the options that it had", () => {
    const text =
      "lint:\n  rules:\n    adapter-rate-low: { least: 1e-6 }\n    gain-too-small: { share: 0.1 }\n";
    expect(found(text)).toEqual([
      "3:5 retired-code adapter-rate-low: 'adapter-rate-low' became part of 'learning-rate-unusual' in 0.1.0",
      "4:5 retired-code gain-too-small: 'gain-too-small' was dropped in 0.1.0",
    ]);
    const { configuration, diagnostics } = readConfiguration("c.yaml", text, "/");
    expect(new Set(diagnostics.map(({ severity }) => severity))).toEqual(new Set(["info"]));
    expect([...configuration.rules]).toEqual([
      ["learning-rate-unusual", { level: undefined, options: { adapters_least: 1e-6 } }],
    ]);
  });

  it.each([
    ["adapter-rate-low: off", {}],
    ["adapter-rate-low: error", {}],
    ["adapter-rate-low: { level: off, least: 1e-6 }", { adapters_least: 1e-6 }],
  ])("sets no level for more than was meant: %s", (written, options) => {
    const text = `lint: { rules: { ${written} } }`;
    const { configuration, diagnostics } = readConfiguration("c.yaml", text, "/");
    expect(configuration.rules.get("learning-rate-unusual")).toEqual({ options });
    expect(diagnostics.map(({ code, help }) => [code, help])).toEqual([
      [
        "retired-code",
        "Its level has no effect, as learning-rate-unusual reports more. Set the level of learning-rate-unusual if all of it is meant.",
      ],
    ]);
  });

  it("may leave a dropped rule without a value", () => {
    expect(found("lint:\n  rules:\n    gain-too-small:\n")).toEqual([
      "3:5 retired-code gain-too-small: 'gain-too-small' was dropped in 0.1.0",
    ]);
  });

  it("holds options of an earlier version to their bounds", () => {
    expect(found("lint: { rules: { adapter-rate-low: { most: 1 } } }")).toEqual([
      "1:38 invalid-config most: there is no key 'most' in 'adapter-rate-low'",
    ]);
    expect(found("lint: { rules: { adapter-rate-low: { least: -1 } } }")).toEqual([
      "1:45 invalid-config -1: 'least' must be >= 0",
    ]);
  });

  it("puts what a rule's own name says before what an earlier name says", () => {
    const of = (text: string) => {
      const { configuration, diagnostics } = readConfiguration("c.yaml", text, "/");
      const fix = diagnostics[0]?.fix;
      const offered = fix && [fix.safe, fix.edits[0]?.new_text];
      return [configuration.rules.get("learning-rate-unusual"), offered];
    };
    const own = "learning-rate-unusual: { level: error, most: 0.1 }";
    const set = { level: "error", options: { most: 0.1 } };
    expect(of(`lint: { rules: { ${own}, learning-rate-high: { most: 0.2 } } }`)).toEqual([
      set,
      undefined,
    ]);
    expect(of(`lint: { rules: { ${own}, learning-rate-high: off } }`)).toEqual([set, undefined]);
    expect(of("lint: { rules: { learning-rate-high: off } }")).toEqual([
      { options: {} },
      [false, "learning-rate-unusual"],
    ]);
  });

  it("is not advised to name a retired code", () => {
    const [first] = readConfiguration(
      "c",
      "lint: { rules: { gain-too-smal: off } }",
      "/",
    ).diagnostics;
    expect(first?.help).toBe("skrull explain lists all codes.");
  });

  it("is a schema that validators take as it is", () => {
    expect(new Ajv().validateSchema(CONFIGURATION_SCHEMA)).toBe(true);
  });

  it("is found in a folder above, and the nearest holds", async () => {
    const files = { ...FILES, "a/b/spec.skrull": CROSSING, "a/b/model.json": MODEL };
    const level = (to: string) => `lint: { rules: { group-crosses-nodes: ${to} } }`;
    const above = hostOf({ ...files, "skrull.config.yaml": level("error") });
    expect((await lint(above, "a/b/spec.skrull")).map(({ severity }) => severity)).toEqual([
      "error",
    ]);
    const both = hostOf({
      ...files,
      "skrull.config.yaml": level("error"),
      "a/skrull.config.yaml": level("off"),
    });
    expect(await lint(both, "a/b/spec.skrull")).toEqual([]);
  });

  it("that is wrong is reported, and lint goes on as without it", async () => {
    const files = { ...FILES, "spec.skrull": CROSSING, "skrull.config.yaml": "lint: { rule: 1 }" };
    const diagnostics = await lintProject(files);
    expect(diagnostics.map(({ code, file }) => `${file} ${code}`)).toEqual([
      "skrull.config.yaml invalid-config",
      "spec.skrull group-crosses-nodes",
    ]);
  });

  it("sets the options of rules", async () => {
    const text = spec({ train: "{ optimizer = adamw { lr = 1e-3 } clip_norm = 50 }" });
    const config = "lint: { rules: { clip-unusual: { most: 10 } } }";
    const codes = async (more: Record<string, string>) =>
      (await lintProject({ ...FILES, "spec.skrull": text, ...more })).map(({ code }) => code);
    expect(await codes({})).toEqual([]);
    expect(await codes({ "skrull.config.yaml": config })).toEqual(["clip-unusual"]);
  });
});

describe("the rules", () => {
  it("have a catalogue entry each, and options within their range", () => {
    for (const { code, options } of RULES) {
      expect(CATALOGUE).toHaveProperty(code);
      for (const option of Object.values(options)) {
        expect(option.default).toBeGreaterThanOrEqual(option.min);
        expect(option.default).toBeLessThanOrEqual(option.max);
      }
    }
  });

  it("have one topic each, by which the page and the help show them", () => {
    const codes = Object.values(RULES_OF_TOPIC).flat();
    expect(codes.toSorted()).toEqual(RULES.map(({ code }) => code));
    for (const shown of [rulesPage(), rulesHelp()]) {
      const places = Object.entries(TOPICS).flatMap(([topic, title]) => [
        shown.indexOf(title),
        ...RULES_OF_TOPIC[topic as Topic].map((code) => shown.search(`(?<!-)\\b${code}\\b(?!-)`)),
      ]);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(places).not.toContain(-1);
    }
    for (const line of rulesHelp().split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  it("that fail are faults that name the rule", () => {
    const broken = defineRule({
      code: "idle-ranks",
      needs: "spec",
      check: () => {
        throw new TypeError("oops");
      },
    });
    const { runs, documents, symbols, file, text } = analyze("a.skrull", spec());
    const names = { document: documents[0] as SourceDocument, documents, symbols };
    const subject = { ...runs[0], names, documents, file, text };
    const configuration = { rules: new Map(), exclude: [] };
    expect(() => lintRules(subject, configuration, [broken])).toThrow(
      "the lint rule 'idle-ranks' failed on a.skrull",
    );
  });
});

it("a configuration of the other ending is told", async () => {
  const found = await lintProject({ "spec.skrull": spec(), "skrull.config.yml": "lint: {}" });
  expect(found.map(({ file, message, help }) => [file, message, help])).toContainEqual([
    "skrull.config.yml",
    "skrull.config.yml is not read: the configuration is named skrull.config.yaml",
    "Rename it to skrull.config.yaml.",
  ]);
});
