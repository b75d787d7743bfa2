import { describe, expect, it } from "vitest";
import { applyFixes } from "../../src/diagnostics/fixes.js";
import { LANGUAGE } from "../../src/language/language.js";
import type { Language } from "../../src/language/types.js";
import { analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { spec } from "../cli/run.js";

const read = (file: string, text: string) => analyze(file, text, { yaml: readYaml }).diagnostics;

/** Part of a spec, what safe fixes make of it, and what the others do. */
type Case = readonly [name: string, block: string, wrong: string, safe: string, unsafe?: string];

const CASES: readonly Case[] = [
  ["a key without =", "parallel", "{ context 2 }", "{ context = 2 }"],
  ["a colon for =", "parallel", "{ context: 2  zero : 1 }", "{ context = 2  zero = 1 }"],
  ["commas", "parallel", "{ context = 2, zero = 1, }", "{ context = 2 zero = 1 }"],
  [
    "numbers of other languages",
    "train",
    "{ optimizer = sgd { lr = .5 }  steps = 0x10  seed = 1__0  log_every = 007  clip_norm = 1. }",
    "{ optimizer = sgd { lr = 0.5 }  steps = 16  seed = 1_0  log_every = 7  clip_norm = 1 }",
  ],
  [
    "thousands parted by commas",
    "data",
    '{ train = ["data.jsonl"]  tokenizer = "bytes"  max_length = 1,048,576  malformed = 1,000 }',
    '{ train = ["data.jsonl"]  tokenizer = "bytes"  max_length = 1_048_576  malformed = 1_000 }',
  ],
  [
    "paths without quotes",
    "data",
    "{ train = [data.jsonl, a-b/x.jsonl, a/*.jsonl]  tokenizer = ./tok/t.json  max_length = 1K }",
    '{ train = ["data.jsonl", "a-b/x.jsonl", "a/*.jsonl"]  tokenizer = "./tok/t.json"  max_length = 1K }',
  ],
  ["two signs", "parallel", "{ context = --2  zero = ++1 }", "{ context = 2  zero = 1 }"],
  [
    "signs that only look like those of the language",
    "parallel",
    "{ context ＝ ２\u00a0 zero = 2 − 1 }",
    "{ context = 2  zero = 2 - 1 }",
  ],
  [
    "other quotes",
    "train",
    "{ optimizer = sgd { lr = '1' }  output = “first” }",
    '{ optimizer = sgd { lr = 1 }  output = "first" }',
  ],
  ["a missing key", "cluster", "{ gpus = 2 }", "{ gpus = 2 }", "{ gpus = 2 gpu = a100_sxm_40gb }"],
  [
    "missing keys of a block of several lines",
    "data",
    '{\n  train = ["data.jsonl"] # all\n  }',
    '{\n  train = ["data.jsonl"] # all\n  }',
    '{\n  train = ["data.jsonl"] # all\n    tokenizer = "bytes"\n    max_length = 4K\n  }',
  ],
  [
    "a missing key of a value",
    "train",
    "{ optimizer = adamw  seed = 1 }",
    "{ optimizer = adamw  seed = 1 }",
    "{ optimizer = adamw { lr = 1e-5 }  seed = 1 }",
  ],
  ["all keys", "schedule", "{}", "{}", "{ global_batch = 1 }"],
  [
    "a scale in small letters",
    "schedule",
    "{ global_batch = 1k }",
    "{ global_batch = 1k }",
    "{ global_batch = 1K }",
  ],
  [
    "keys that are written as blocks",
    "train",
    '{ optimizer sgd { lr = 1 }  output "first" }',
    '{ optimizer = sgd { lr = 1 }  output = "first" }',
  ],
  [
    "a comment of other languages",
    "parallel",
    "{\n  context = 2 /* two */\n  zero = 1\n}",
    "{\n  context = 2 # two\n  zero = 1\n}",
  ],
  ["semicolons", "parallel", "{ context = 2; zero = 1; }", "{ context = 2 zero = 1 }"],
  [
    "a list without commas",
    "cluster",
    '{ gpus = 2  gpu = cpu  nodes = 2  hosts = ["a" "b"] }',
    '{ gpus = 2  gpu = cpu  nodes = 2  hosts = ["a", "b"] }',
  ],
  [
    "one value for a list",
    "data",
    '{ train = "data.jsonl"  tokenizer = "bytes"  max_length = 1K }',
    '{ train = ["data.jsonl"]  tokenizer = "bytes"  max_length = 1K }',
  ],
  [
    "a path without quotes, a word and numbers with them",
    "data",
    '{ train = [data]  tokenizer = bytes  max_length = "1K"  overlong = "drop" malformed = "3" }',
    '{ train = ["data"]  tokenizer = "bytes"  max_length = 1K  overlong = drop malformed = 3 }',
  ],
  [
    "a string that is not closed",
    "train",
    '{ optimizer = sgd { lr = 1 }  output = "first }',
    '{ optimizer = sgd { lr = 1 }  output = "first }',
    '{ optimizer = sgd { lr = 1 }  output = "first" }',
  ],
  [
    "backslashes in a path",
    "train",
    '{ optimizer = sgd { lr = 1 }  output = "runs\\\\first" }',
    '{ optimizer = sgd { lr = 1 }  output = "runs/first" }',
  ],
  [
    "backslashes that are no escapes",
    "train",
    '{ optimizer = sgd { lr = 1 }  output = "runs\\second" }',
    '{ optimizer = sgd { lr = 1 }  output = "runs/second" }',
  ],
  [
    "backslashes in a text",
    "model",
    '"Qwen/Qwen2.5-0.5B" { revision = "a\\d" }',
    '"Qwen/Qwen2.5-0.5B" { revision = "a\\d" }',
    '"Qwen/Qwen2.5-0.5B" { revision = "a\\\\d" }',
  ],
  [
    "truth by other names",
    "train",
    "{ optimizer = sgd { lr = 1 }  export = yes }",
    "{ optimizer = sgd { lr = 1 }  export = true }",
  ],
  [
    "words in another case or with other hyphens",
    "schedule",
    "{ globalBatch = 4  degrees = Local_Or_All  policy = AUTO }",
    "{ global_batch = 4  degrees = local-or-all  policy = auto }",
  ],
  [
    "misspelt words",
    "schedule",
    "{ globl_batch = 4  policy = packd }",
    "{ globl_batch = 4  policy = packd }",
    "{ global_batch = 4  policy = packed }",
  ],
  ["a binary unit in small letters", "memory", "{ budget = 4 gib }", "{ budget = 4 GiB }"],
  [
    "a unit that might be another",
    "memory",
    "{ budget = 4000 mb }",
    "{ budget = 4000 mb }",
    "{ budget = 4000 MB }",
  ],
  ["a unit where none is", "parallel", "{ context = 2 s }", "{ context = 2 s }", "{ context = 2 }"],
  [
    "the same said twice",
    "parallel",
    "{ context = 2  zero = 1  context = 2 }",
    "{ context = 2  zero = 1 }",
  ],
  [
    "a line that says the same again",
    "parallel",
    "{\n  context = 2\n  zero = 1\n  context = 2\n}",
    "{\n  context = 2\n  zero = 1\n}",
  ],
  [
    "a line of its own with a comment",
    "parallel",
    "{\n  context = 2\n  context = 2 # again\n}",
    "{\n  context = 2\n # again\n}",
  ],
  [
    "two things said",
    "parallel",
    "{ context = 2  context = 1 }",
    "{ context = 2  context = 1 }",
    "{ context = 2 }",
  ],
  [
    "a misspelt model",
    "model",
    '"Qwen/Qwn2.5-0.5B" { weights = random }',
    '"Qwen/Qwn2.5-0.5B" { weights = random }',
    '"Qwen/Qwen2.5-0.5B" { weights = random }',
  ],
];

/** What a value alone in its block can contradict. */
const ABOUT_OTHERS = ["contradictory-keys", "model-source"];

/** Fixes applied as often as they offer something. */
function mended(text: string, unsafe: boolean, file = "a.skrull"): string {
  let current = text;
  for (let round = 0; round < 10; round += 1)
    current = applyFixes(current, read(file, current), { unsafe });
  return current;
}

describe("the fix of", () => {
  for (const [name, block, wrong, safe, unsafe = safe] of CASES) {
    it(name, () => {
      expect(mended(spec({ [block]: wrong }), false)).toBe(spec({ [block]: safe }));
      expect(mended(spec({ [block]: wrong }), true)).toBe(spec({ [block]: unsafe }));
      const errors = read("a.skrull", spec({ [block]: unsafe })).filter(
        ({ severity }) => severity === "error",
      );
      expect(errors).toEqual([]);
    });
  }

  it("a version in the wrong place is none", () => {
    const text = spec().replace("skrull 1\n", "let a = 1\nskrull 1\n");
    expect(mended(text, true)).toBe(text);
    expect(read("a.skrull", text).map(({ code, help }) => [code, help])).toEqual([
      ["unexpected-token", "The line with the version begins the file, once."],
    ]);
    const key = read("a.skrull", spec().replace("skrull 1", "skrull = 1"));
    expect(key.map(({ help }) => help)).toContain("Begin the file with skrull 1, without =.");
  });

  it("a list that an open string swallows is none", () => {
    const text = spec({ data: '{ train = ["a.jsonl\n"b.jsonl"] }' });
    expect(mended(text, false)).toBe(text);
  });

  it("a path that is not closed leaves the rest of its line alone", () => {
    const text = spec({ model: '{ config = "a\\b  weights = random }' });
    expect(mended(text, false)).toBe(text);
  });

  for (const [what, text] of [
    ["an empty file", ""],
    ["a file without blocks", "skrull 1 # to be written"],
    ["a file with lines of Windows", "skrull 1\r\ncluster {\r\n}\r\ndata {\r\n  }"],
    ["a run without blocks", "skrull 1\nrun a { }\nrun b { }"],
  ] as const) {
    it(`${what} is whatever a spec cannot do without`, () => {
      const whole = mended(text, true);
      expect(mended(text, false)).toBe(text === "" ? "skrull 1\n\n" : text);
      expect(read("a.skrull", whole)).toEqual([]);
      expect(/(?<!\r)\n/.test(whole)).toBe(!text.includes("\r"));
    });
  }

  it("a missing key is sound for every key that is required", () => {
    const variants = Object.values(LANGUAGE as Language).flatMap(({ properties }) =>
      Object.entries(properties).flatMap(([key, { type }]) =>
        type.kind === "tagged" ? Object.keys(type.variants).map((tag) => `${key} = ${tag}`) : [],
      ),
    );
    const blockOf = (entry: string) =>
      Object.entries(LANGUAGE as Language).find(([, { properties }]) =>
        Object.hasOwn(properties, entry.split(" ")[0] ?? ""),
      )?.[0];
    expect(variants).toContain("rope_scaling = yarn");
    for (const entry of variants) {
      const text = mended(`skrull 1\n${blockOf(entry)} { ${entry} }\n`, true);
      const codes = read("a.skrull", text).map(({ code }) => code);
      expect([entry, codes.filter((code) => !ABOUT_OTHERS.includes(code))]).toEqual([entry, []]);
    }
  });

  it("a word that is nearly a constant's name is that name, and no string", () => {
    const withUse = (use: string) =>
      `${spec({ schedule: `{ global_batch = ${use} }`, log: `{ wandb = ${use}t }` })}let batch = 4\n`;
    expect(mended(withUse("batc"), false)).toBe(withUse("batc"));
    expect(mended(withUse("batc"), true)).toContain("global_batch = batch }");
    expect(read("a.skrull", withUse("far"))[0]?.help).toBe("Write a whole number.");
  });

  it("a missing key of a constant is where the value is written", () => {
    const train = (value: string) => `${spec({ train: "{ optimizer = o }" })}let o = ${value}\n`;
    expect(mended(train("sgd { }"), true)).toBe(train("sgd { lr = 1e-5 }"));
    // Every key that has this word as its value has it.
    expect(mended(train("sgd"), true)).toBe(train("sgd"));
  });

  it("a comma in a number is none: it may mean two things", () => {
    const text = spec({ parallel: "{ zero = 1,5 }" });
    expect(mended(text, true)).toBe(text);
    expect(read("a.skrull", text)[0]?.help).toContain("0.5");
  });

  it("a version is for those that mean the same", () => {
    const withVersion = (version: string) => spec({}).replace("skrull 1", `skrull ${version}`);
    for (const version of ["1.0", "1e0", "01", "+1"]) {
      expect(read("a.skrull", withVersion(version)).map(({ severity }) => severity)).toContain(
        "error",
      );
    }
    expect(mended(withVersion("1.0"), false)).toBe(withVersion("1"));
    expect(mended(withVersion("01"), false)).toBe(withVersion("1"));
    expect(mended(withVersion("1.5"), true)).toBe(withVersion("1.5"));
  });

  it("a constant's value leaves its use alone", () => {
    const withValue = (value: string) =>
      `${spec({
        data: '{ train = ["a"]  tokenizer = c  max_length = c  overlong = c }',
        memory: "{ budget = c }",
      })}let c = ${value}\n`;
    for (const value of ["bytes", '"8K"', "Drop"])
      expect(mended(withValue(value), true)).toBe(withValue(value));
    // No key has this unit: it is mended where it is written.
    expect(mended(withValue("2 gib"), true)).toBe(withValue("2 GiB"));
  });
});

describe("the fix in YAML", () => {
  const yaml = (memory: string, schedule: string) =>
    [
      "skrull: 1",
      "model: { config: model.json, weights: random }",
      "cluster: { gpus: 2, gpu: cpu }",
      "data: { train: [data.jsonl], tokenizer: bytes, max_length: 1K }",
      `memory: { budget: ${memory} }`,
      `schedule: { global_batch: 4, ${schedule} }`,
      "train: { optimizer: { type: sgd, lr: 1 } }",
      "",
    ].join("\n");

  it("of a word replaces the word", () => {
    const wrong = yaml("1 GiB", "policy: packd");
    expect(mended(wrong, true, "a.skrull.yaml")).toBe(yaml("1 GiB", "policy: packed"));
  });

  it("of a unit, whose place in its scalar is not known, is none", () => {
    const wrong = yaml("1 gib", "policy: packed");
    expect(mended(wrong, true, "a.skrull.yaml")).toBe(wrong);
  });

  it("of a missing version is a line of its own, where there is room for one", () => {
    const without = yaml("1 GiB", "policy: packed").replace("skrull: 1\n", "");
    for (const before of ["", "# first\n\n"])
      expect(mended(before + without, false, "a.skrull.yaml")).toBe(
        `skrull: 1\n${before}${without}`,
      );
    for (const text of [`---\n${without}`, "{ model: { name: x } }", "  model: { name: x }"])
      expect(mended(text, false, "a.skrull.yaml")).toBe(text);
    expect(read("a.skrull.json", "{}").map(({ help }) => help)).toContain(
      "Begin the file with the line: skrull: 1",
    );
  });

  it("of a value for a list keeps the value whole", () => {
    const train = (value: string) =>
      yaml("4 GiB", "policy: packed").replace(
        /^data.*$/m,
        `data:\n  train: ${value}\n  tokenizer: bytes\n  max_length: 1K`,
      );
    for (const [value, list] of [
      ["a.jsonl", "[a.jsonl]"],
      ["a, b.jsonl", '["a, b.jsonl"]'],
      ["'it''s'", "['it''s']"],
      [">\n    a\n    b", ">\n    a\n    b"],
    ] as const)
      expect(mended(train(value), false, "a.skrull.yaml")).toBe(train(list));
  });

  it("of a number that is written otherwise here is the number", () => {
    const mixed = (lr: string, seed: string) =>
      yaml("4 GiB", `iterations: ${seed}`).replace("lr: 1", `lr: ${lr}`);
    const wrong = mixed(".5", "1__0");
    expect(read("a.skrull.yaml", wrong).map(({ help }) => help)).toEqual([
      "Of '1__0', an underscore stands between two digits.",
      "Of '.5', a decimal point stands between two digits.",
    ]);
    expect(mended(wrong, false, "a.skrull.yaml")).toBe(mixed("0.5", "1_0"));
  });

  it("of a key said twice is none", () => {
    const wrong = yaml("1 GiB", "global_batch: 4");
    expect(mended(wrong, true, "a.skrull.yaml")).toBe(wrong);
  });
});
