import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { specSchema } from "../../src/language/json-schema.js";
import { analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { textAt } from "../text-at.js";

const YAML = `skrull: 1
import: [lib.skrull]
let:
  seq: 1K
  policy: packed
model: { config: model.json, weights: random, precision: fp32 }
cluster: two
data:
  train: [data.jsonl]   # a comment
  tokenizer: bytes
  max_length: seq * 2
memory: { budget: 1 GiB, reserve: "1 MiB" }
schedule: { global_batch: 4, policy: policy }
train:
  optimizer: { type: adamw, lr: 1e-3, betas: [0.9, 0.95] }
runs:
  short: { train: { steps: 4 } }
  long: { extends: short, train: { steps: 8 }, cluster: { extends: two, nodes: 2 } }
`;

const LIBRARY = "skrull 1\ncluster two { gpus = 2 gpu = cpu }\n";

const check = (text: string, file = "a.skrull.yaml") =>
  analyze(file, text, {
    load: (path) => (path === "lib.skrull" ? { text: LIBRARY } : { problem: "no such file" }),
    yaml: readYaml,
  });

const found = (text: string) =>
  check(text).diagnostics.map((d) => `${d.code}: ${textAt(text, d.range)}`);

const change = (from: string, to: string): string => {
  const text = YAML.replace(from, to);
  if (text === YAML) throw new Error(`nothing to change: ${from}`);
  return text;
};

describe("a spec in YAML", () => {
  it("means what the same spec means in the spec language", () => {
    const { runs, diagnostics } = check(YAML);
    expect(diagnostics).toEqual([]);
    expect(runs.map(({ name, spec }) => [name, spec])).toMatchObject([
      ["short", { cluster: { gpus: 2, nodes: 1 }, train: { steps: 4 } }],
      ["long", { cluster: { gpus: 2, nodes: 2 }, train: { steps: 8 } }],
    ]);
    expect(runs[0]?.spec).toMatchObject({
      model: { config: "model.json", weights: "random" },
      data: { train: ["data.jsonl"], tokenizer: "bytes", max_length: 2048 },
      memory: { budget: 2 ** 30, reserve: 2 ** 20 },
      schedule: { policy: "packed" },
      train: { optimizer: { type: "adamw", lr: 1e-3, betas: [0.9, 0.95] } },
    });
  });

  it("follows the published schema, which refuses what the checker refuses", () => {
    const validate = new Ajv({ allowUnionTypes: true }).compile(specSchema());
    const accepts = (text: string) => validate(parse(text));
    expect(accepts(YAML), JSON.stringify(validate.errors)).toBe(true);
    expect(accepts(change("tokenizer: bytes", "tokenzer: bytes"))).toBe(false);
    expect(accepts(change("global_batch: 4", "global_batch: 0"))).toBe(false);
    expect(accepts(change("skrull: 1", "skrull: 2"))).toBe(false);
    expect(accepts(change("{ extends: two, nodes: 2 }", "[two]"))).toBe(false);
  });

  it("offers no fix that would replace a whole scalar for one name or unit in it", () => {
    const wrong = [
      ["max_length: seq * 2", "max_length: sqe * 2", "unknown-name", "Did you mean seq?"],
      ["budget: 1 GiB", "budget: 2 Gib * 2", "invalid-arithmetic", "Did you mean GiB?"],
    ] as const;
    for (const [from, to, code, help] of wrong) {
      const found = check(change(from, to)).diagnostics.filter((d) => d.code === code);
      expect(found.map((d) => [d.help, d.fix])).toEqual([[help, undefined]]);
    }
    const one = check(change("global_batch: 4", "global_batch: -sqe")).diagnostics;
    expect(one.map(({ code }) => code)).toContain("unknown-name");
  });

  it("is advised in its own form", () => {
    const help = (text: string) => check(text).diagnostics.map((d) => d.help);
    expect(help(change("  tokenizer: bytes\n", ""))).toContain("Add tokenizer: ... to it.");
    expect(help("skrull: 1\nlog: []\n")).toEqual(
      expect.arrayContaining([
        "Add cluster: { ... }.",
        "Write log: { ... }, or the name of a block that is declared elsewhere.",
      ]),
    );
    const [two] = check(`${YAML}---\nskrull: 1\n`).diagnostics;
    expect(two?.message).toBe("a file holds one document");
  });

  it("may be JSON", () => {
    const json = JSON.stringify({
      skrull: 1,
      named: { cluster: { two: { gpus: 2, gpu: "cpu" } } },
      let: { seq: "128K" },
    });
    const { diagnostics, runs, symbols } = check(json, "a.skrull.json");
    expect(diagnostics).toEqual([]);
    expect(runs).toEqual([]);
    expect(symbols.map(({ name }) => name)).toEqual(["seq", "two"]);
  });

  it("knows the constants that constants and calculations are made of", () => {
    const lets = "let:\n  a: 2\n  b: 1K\n  c: a * b\n  d: c\n";
    const text = change("let:\n", lets).replace("max_length: seq * 2", "max_length: d + seq + a");
    const { runs, diagnostics, symbols } = check(text);
    expect(diagnostics).toEqual([]);
    expect(runs[0]?.spec?.data.max_length).toBe(3074);
    const uses = (name: string) =>
      symbols
        .filter((one) => one.kind === "constant" && one.name === name)
        .flatMap((one) => one.uses.map(({ range }) => textAt(text, range)));
    const sum = "d + seq + a";
    expect(["a", "b", "c", "d", "seq"].map(uses)).toEqual([
      ["a * b", sum],
      ["a * b"],
      ["c"],
      [sum],
      [sum],
    ]);
  });

  it("asks for its reader where there is none", () => {
    const analysis = analyze("a.skrull.yaml", YAML, { load: () => ({ text: LIBRARY }) });
    expect(analysis.wantsYaml).toBe(true);
    expect(analysis.runs.every(({ spec }) => spec === undefined)).toBe(true);
  });

  const mistakes: readonly (readonly [string, string, readonly string[]])[] = [
    ["max_length: seq * 2", "max_length: seq * 2 GiB", ["wrong-unit: seq * 2 GiB"]],
    ["tokenizer: bytes", "tokenzer: bytes", ["unknown-key: tokenzer"]],
    ["policy: policy", "policy: packd", ["unknown-value: packd"]],
    ["weights: random", "weights: [random]", ["wrong-type: [random]"]],
    ["type: adamw, ", "", ["invalid-yaml: { lr: 1e-3, betas: [0.9, 0.95] }"]],
    ["cluster: two", "cluster: tow", ["unknown-name: tow"]],
    ["steps: 4", "steps:", ["invalid-yaml: steps"]],
    ["global_batch: 4", "global_batch: *x", ["invalid-yaml: *x"]],
    ["  tokenizer: bytes", "  tokenizer: bytes\n  tokenizer: bytes", ["duplicate-key: tokenizer"]],
    ["runs:\n", "runs: {}\nruns:\n", ["invalid-yaml: runs"]],
    ["type: adamw,", "type: adamw, type: sgd,", ["invalid-yaml: type"]],
    ["let:\n", "let: {}\nlet:\n", ["invalid-yaml: let"]],
    ["  short:", "  the short:", ["invalid-yaml: the short"]],
    ["runs:\n", "run:\n", ["invalid-yaml: run"]],
    ["short: { ", "short: { name: x, ", ["unexpected-label: x"]],
    ["skrull: 1", "", ["missing-version: "]],
    ["skrull: 1", "skrull: 3", ["unsupported-version: 3"]],
    ["lib.skrull", "no.skrull", ["import-failed: no.skrull"]],
  ];
  for (const [from, to, expected] of mistakes) {
    it(`with ${JSON.stringify(to)} is told where it is wrong`, () => {
      expect(found(change(from, to)).slice(0, expected.length)).toEqual(expected);
    });
  }

  it("of nonsense gives diagnostics and no exception, every range inside", () => {
    const sound = (text: string) => {
      const lines = text.split(/\r\n|\n|\r/).length;
      for (const { range } of check(text).diagnostics) {
        expect(range.end.line).toBeLessThanOrEqual(lines);
        expect(range.start.line).toBeGreaterThanOrEqual(1);
      }
    };
    const token = fc.constantFrom(
      ..."skrull: 1|let|:|-|{|}|[|]|,|'|\"|&a|*a|!!x|\n| |  |runs|named|cluster|type|#|?|<<|>".split(
        "|",
      ),
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), sound), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 60 }).map((t) => t.join(" ")),
        sound,
      ),
      { numRuns: 500 },
    );
    for (let end = 0; end < YAML.length; end += 3) sound(YAML.slice(0, end));
    for (const text of [
      "[".repeat(1e5),
      "- ".repeat(1e5),
      "? ".repeat(1e4),
      "a: ".repeat(1e4),
      "\0",
      "x".repeat(1e6),
      "{".repeat(60),
    ])
      sound(text);
  });
});
