import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.js";
import { LANGUAGE, type Spec } from "../../src/language/language.js";
import type { Block, Properties, ValueType } from "../../src/language/types.js";
import { analyze } from "../../src/semantics/analyze.js";
import { spec } from "../cli/run.js";

const QUICKSTART = readFileSync(
  new URL("../../examples/quickstart/quickstart.skrull", import.meta.url),
  "utf8",
);

/** Diagnostics as `code: the text under them`, so that a case states code and exact range at once. */
function found(text: string): readonly string[] {
  return analyze("a.skrull", text).diagnostics.map((d) => `${d.code}: ${textAt(text, d)}`);
}

function offset(text: string, { line, column }: { line: number; column: number }): number {
  const lines = text.split("\n");
  return lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0) + column - 1;
}

const textAt = (text: string, { range }: Diagnostic) =>
  text.slice(offset(text, range.start), offset(text, range.end));

const CASES: readonly (readonly [string, string, readonly string[]])[] = [
  ["a sound spec", spec(), []],
  ["the quickstart", QUICKSTART, []],
  ["an unknown block", `${spec()}extra { }`, ["unknown-block: extra"]],
  ["an unknown key", spec({ parallel: "{ contxt = 2 }" }), ["unknown-key: contxt"]],
  ["a repeated key", spec({ parallel: "{ zero = 1 zero = 2 }" }), ["duplicate-key: zero"]],
  ["a repeated block", `${spec()}parallel { }`, ["duplicate-block: parallel"]],
  ["a missing key", spec({ schedule: "{ }" }), ["missing-key: schedule"]],
  ["a missing block", spec().replace(/^train.*$/m, ""), ["missing-block: "]],
  ["no version", spec().replace("skrull 1\n", ""), ["missing-version: "]],
  ["another version", spec().replace("skrull 1", "skrull 2"), ["unsupported-version: 2"]],
  ["a key outside blocks", `${spec()}zero = 1`, ["unexpected-token: zero"]],
  [
    "a label where none is",
    `${spec()}`.replace("parallel {", 'parallel "x" {'),
    ['unexpected-label: "x"'],
  ],
  ["a wrong type", spec({ parallel: '{ context = "2" }' }), ['wrong-type: "2"']],
  [
    "a version of DeepSpeed that is a long word",
    spec({ cluster: `{ gpus = 2 gpu = cpu deepspeed = "0.19${"a".repeat(60)}!" }` }),
    [`out-of-range: "0.19${"a".repeat(60)}!"`],
  ],
  ["a fraction of a count", spec({ parallel: "{ context = 1.5 }" }), ["wrong-type: 1.5"]],
  ["a wrong unit", spec({ memory: "{ budget = 2 Gbit/s }" }), ["wrong-unit: Gbit/s"]],
  ["a unit where none is", spec({ parallel: "{ context = 2 GiB }" }), ["wrong-unit: GiB"]],
  ["a missing unit", spec({ memory: "{ budget = 2 }" }), ["missing-unit: 2"]],
  ["out of range", spec({ parallel: "{ zero = 4 }" }), ["out-of-range: 4"]],
  [
    "weights offloaded below ZeRO 3",
    spec({ memory: "{ budget = 1 GiB reserve = 1 MiB offload = all }" }),
    ["contradictory-keys: all"],
  ],
  [
    "an optimizer offloaded without ZeRO",
    spec({
      parallel: "{ zero = 0 }",
      memory: "{ budget = 1 GiB reserve = 1 MiB offload = optimizer }",
    }),
    ["contradictory-keys: optimizer"],
  ],
  [
    "whole gradients under ZeRO 3",
    spec({ parallel: "{ zero = 3 reduction = once }" }),
    ["contradictory-keys: once"],
  ],
  [
    "whole gradients that are offloaded",
    spec({
      parallel: "{ zero = 2 reduction = once }",
      memory: "{ budget = 1 GiB reserve = 1 MiB offload = optimizer }",
    }),
    ["contradictory-keys: once"],
  ],
  [
    "8-bit states that are offloaded",
    spec({
      train: "{ optimizer = adamw8bit { lr = 1e-4 } }",
      memory: "{ budget = 1 GiB reserve = 1 MiB offload = optimizer }",
    }),
    ["contradictory-keys: optimizer"],
  ],
  ["an unknown adapter", `${spec()}lora { targets = [head] }`, ["unknown-value: head"]],
  [
    "a value that is not one",
    spec({ schedule: "{ global_batch = 4 policy = packd }" }),
    ["unknown-value: packd"],
  ],
  [
    "an absolute path",
    spec({ train: '{ optimizer = sgd { lr = 1 } output = "/x" }' }),
    ['unsafe-path: "/x"'],
  ],
  [
    "a path that leaves",
    spec({ train: '{ optimizer = sgd { lr = 1 } output = "a/../../x" }' }),
    ['unsafe-path: "a/../../x"'],
  ],
  [
    "an unknown model",
    spec({ model: '"Qwen/Qwen2.5-0.6B" { }' }),
    ['unknown-model: "Qwen/Qwen2.5-0.6B"'],
  ],
  [
    "a folder for a name, beside a configuration",
    spec({ model: '"./weights" { config = "x" }' }),
    ['model-source: "./weights"'],
  ],
  [
    "epochs and steps",
    spec({ train: "{ optimizer = sgd { lr = 1 } epochs = 1 steps = 2 }" }),
    ["contradictory-keys: 2"],
  ],
  ["ranks that do not divide", spec({ parallel: "{ context = 3 }" }), ["ranks-not-divisible: 3"]],
  [
    "too large a budget",
    spec({ cluster: "{ gpus = 2 gpu = h100_sxm_80gb }", memory: "{ budget = 90 GiB }" }),
    ["budget-exceeds-memory: 90 GiB"],
  ],
  [
    "too large a reserve",
    spec({ memory: "{ budget = 1 GiB reserve = 2 GiB }" }),
    ["reserve-exceeds-budget: 2 GiB"],
  ],
  [
    "a string that is not closed",
    spec({ model: '{ config = "x\n weights = random }' }),
    ['unterminated-string: "x'],
  ],
  [
    "an unknown escape",
    spec({ model: '{ config = "m" path = "w" revision = "a\\q" }' }),
    ["invalid-escape: \\q"],
  ],
  ["a character without meaning", spec({ parallel: "{ context = 2; }" }), ["invalid-character: ;"]],
  [
    "a host name with a space",
    spec({ cluster: '{ gpus = 2 gpu = cpu hosts = ["a b"] }' }),
    ['out-of-range: "a b"'],
  ],
  [
    "several at once",
    spec({ parallel: "{ zero = 4 contxt = 1 }", schedule: "{ global_batch = 0 }" }),
    ["out-of-range: 4", "unknown-key: contxt", "out-of-range: 0"],
  ],
];

describe("analyze", () => {
  for (const [name, text, expected] of CASES) {
    it(name, () => expect([...found(text)].sort()).toEqual([...expected].sort()));
  }

  it("accepts the units and comments of the README", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const example = /```skrull\n(skrull 1\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
    const analysis = analyze("readme.skrull", example);
    expect(analysis.diagnostics).toEqual([]);
    expect(analysis.runs[0]?.spec).toMatchObject({
      data: { max_length: 32 * 1024 },
      cluster: { network: 50e9 },
      memory: { budget: 76 * 1024 ** 3 },
      train: { optimizer: { type: "adamw", lr: 1e-5, betas: [0.9, 0.999] } },
    });
  });

  it("reads a key under its former name, with a warning and a safe fix", () => {
    const text = spec({ train: "{ optimizer = sgd { lr = 1 } clip = 2 }" });
    const { diagnostics, runs } = analyze("a.skrull", text);
    expect(runs[0]?.spec?.train.clip_norm).toBe(2);
    expect(diagnostics.map((d) => [d.code, d.severity, d.fix?.safe])).toEqual([
      ["deprecated-key", "warning", true],
    ]);
    expect(diagnostics[0]?.fix?.edits[0]?.new_text).toBe("clip_norm");
    const both = spec({ train: "{ optimizer = sgd { lr = 1 } clip = 2 clip_norm = 1 }" });
    expect(found(both)).toEqual(["deprecated-key: clip", "duplicate-key: clip_norm"]);
  });

  it("tells a share of the node's memory that the usual reserve uses up where that memory is said", () => {
    const cluster = "{ gpus = 8 gpu = cpu host_memory = 8 GiB }";
    const text = spec({ cluster }).replace(/^memory.*\n/m, "");
    expect(found(text)).toEqual(["reserve-exceeds-budget: 8 GiB"]);
  });

  it("says the bounds of a value in a unit, and calls nothing too large a fraction", () => {
    const message = (parts: Readonly<Record<string, string>>) =>
      analyze("a.skrull", spec(parts)).diagnostics[0]?.message;
    expect(message({ cluster: "{ gpus = 2 gpu = cpu timeout = 0.5 s }" })).toBe(
      "'timeout' is 0.5 s; it must be from 1 s to 604,800 s",
    );
    expect(message({ memory: "{ bucket = 1e999K }" })).toBe(
      "'bucket' is 1e999 K; it must be from 1 to 1,099,511,627,776",
    );
  });

  it("suggests the nearest name, with a fix that mends it", () => {
    const text = spec({ parallel: "{ contxt = 2 }" });
    const [problem] = analyze("a.skrull", text).diagnostics;
    expect(problem?.help).toBe("Did you mean context?");
    const [edit] = problem?.fix?.edits ?? [];
    if (!edit) throw new Error("no edit");
    const mended =
      text.slice(0, offset(text, edit.range.start)) +
      edit.new_text +
      text.slice(offset(text, edit.range.end));
    expect(found(mended)).toEqual([]);
  });
});

/** No exception, every range inside the text and not backwards. */
function isSound(text: string): void {
  const { diagnostics, runs } = analyze("a.skrull", text);
  const lines = text.split(/\r\n|\n|\r/);
  for (const { range } of diagnostics) {
    for (const { line, column } of [range.start, range.end]) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThanOrEqual(1);
      // A line's end may be pointed at, its terminator (one or two units) included.
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 3);
    }
    const { start, end } = range;
    expect(end.line > start.line || (end.line === start.line && end.column >= start.column)).toBe(
      true,
    );
  }
  const broken = diagnostics.some((d) => d.severity === "error");
  for (const { spec: checked } of runs) expect(checked === undefined).toBe(broken);
}

describe("nonsense", () => {
  it("cut at every character, the quickstart gives diagnostics and no exception", () => {
    for (let end = 0; end <= QUICKSTART.length; end += 1) isSound(QUICKSTART.slice(0, end));
  });

  it("of random characters and tokens does too", () => {
    const token = fc.constantFrom(
      "skrull",
      "1",
      "model",
      "{",
      "}",
      "=",
      "[",
      "]",
      ",",
      '"x"',
      "80",
      "GiB",
      "Gbit/s",
      "#",
      "\n",
      "adamw",
      '"',
      "\\",
      "parallel",
      "context",
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), isSound), { numRuns: 300 });
    fc.assert(
      fc.property(
        fc.array(token).map((tokens) => tokens.join(" ")),
        isSound,
      ),
      { numRuns: 500 },
    );
  });

  const cases: readonly (readonly [string, string])[] = [
    ["an empty file", ""],
    ["10,000 nested blocks", "a {".repeat(10_000)],
    ["a file of 10 MB", "x".repeat(10_000_000)],
    ["NUL bytes", "\0\0\0"],
    ["a byte order mark and CRLF", `\uFEFF${spec().replaceAll("\n", "\r\n")}`],
    ["100,000 errors", "; ".repeat(100_000)],
  ];
  for (const [name, text] of cases) it(`${name}`, () => isSound(text));

  it("is not made of a byte order mark and CRLF", () => {
    expect(analyze("a", `\uFEFF${spec().replaceAll("\n", "\r\n")}`).diagnostics).toEqual([]);
  });
});

describe("the language table", () => {
  it("documents every block and key, and what is required says why", () => {
    const visit = (properties: Properties) => {
      for (const property of Object.values(properties)) {
        expect(property.doc).toMatch(/\.$/);
        if ("required" in property) expect(property.required).toMatch(/\.$/);
        visitType(property.type);
      }
    };
    const visitType = (type: ValueType) => {
      if (type.kind === "tagged")
        for (const variant of Object.values(type.variants)) visit(variant);
    };
    for (const block of Object.values(LANGUAGE as Readonly<Record<string, Block>>)) {
      expect(block.doc).toMatch(/\.$/);
      visit(block.properties);
    }
  });

  it("gives the checked spec its type", () => {
    expectTypeOf<Spec["model"]["precision"]>().toEqualTypeOf<"bf16" | "fp32">();
    expectTypeOf<Spec["memory"]["budget"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Spec["data"]["train"]>().toEqualTypeOf<readonly string[]>();
  });
});

describe("advice", () => {
  const help = (parts: Record<string, string>) =>
    analyze("a.skrull", spec(parts)).diagnostics.map((found) => found.help)[0];
  const GPU = { cluster: "{ gpus = 2 gpu = h100_sxm_80gb }" };

  it("of a model that is a folder, or lacks its owner", () => {
    const folder = "Name a folder with path, relative to the spec: model";
    expect(help({ model: '"/models/Qwen2.5-7B" {}' })).toBe(
      `${folder} "Qwen/Qwen2.5-7B" { path = "..." }`,
    );
    expect(help({ model: '"./mine" {}' })).toBe(
      `${folder} { config = "config.json"  path = "..." }`,
    );
    expect(help({ model: '"Qwen2.5-7B" {}' })).toMatch(/^Did you mean "Qwen\/Qwen2.5-7B"\?/);
  });

  it("of a model that the catalogue does not have, which is used with its configuration", () => {
    const other = '"meta-llama/Llama-4-8B-Instruct"';
    const { diagnostics } = analyze("a.skrull", spec({ model: `${other} {}` }));
    expect(diagnostics.map(({ code, fix }) => [code, fix])).toEqual([["unknown-model", undefined]]);
    expect(diagnostics[0]?.help).toContain('model "OWNER/NAME" { config = "config.json" }');
    const { runs } = analyze("a.skrull", spec({ model: `${other} { config = "config.json" }` }));
    expect(runs[0]?.spec?.model).toMatchObject({
      label: "meta-llama/Llama-4-8B-Instruct",
      config: "config.json",
    });
  });

  it("of a budget in GiB that was meant in GB", () => {
    expect(help({ ...GPU, memory: "{ budget = 80 GiB }" })).toBe(
      "Write 80 GB, which is fewer bytes than 80 GiB, or at most 79 GiB; or leave it out.",
    );
    expect(help({ ...GPU, memory: "{ budget = 100 GiB }" })).toMatch(/^Lower the budget/);
  });

  it("shows of a calculated fraction what one would write", () => {
    const message = (seed: string) =>
      analyze("a.skrull", spec({ train: `{ optimizer = adamw { lr = 1e-3 } seed = ${seed} }` }))
        .diagnostics[0]?.message;
    expect(message("100 / 3")).toBe("'seed' takes a whole number, not the fraction 33.3333");
    expect(message("2.5")).toBe("'seed' takes a whole number, not the fraction 2.5");
  });
});
