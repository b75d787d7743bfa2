import { describe, expect, it } from "vitest";
import { LANGUAGE } from "../../src/language/language.js";
import { counterpartOf, OTHER_NAMES } from "../../src/language/other-tools.js";
import type { Block, Properties } from "../../src/language/types.js";
import { analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { spec } from "../cli/run.js";

const BLOCKS: Readonly<Record<string, Block>> = LANGUAGE;

/** Whether the table of the language has a block, a key, or a key of a value. */
function exists(path: string): boolean {
  const [block = "", key, tag, inner] = path.split(".");
  const properties: Properties | undefined = BLOCKS[block]?.properties;
  if (!properties || key === undefined) return properties !== undefined;
  const type = properties[key]?.type;
  if (!type || tag === undefined) return type !== undefined;
  const inside = type.kind === "tagged" ? type.variants[tag] : undefined;
  return inside !== undefined && inner !== undefined && Object.hasOwn(inside, inner);
}

describe("the table of other tools' names", () => {
  it.each(OTHER_NAMES)("%s leads to what there is", (name) => {
    const { at, note } = counterpartOf(name) ?? {};
    expect(at ?? note).toBeDefined();
    if (at !== undefined) expect(exists(at), at).toBe(true);
    expect(note ?? ".").toMatch(/\.$/);
  });

  it("has every name once, and none of a block of its own", () => {
    expect(new Set(OTHER_NAMES).size).toBe(OTHER_NAMES.length);
    expect(OTHER_NAMES.filter((name) => Object.hasOwn(BLOCKS, name))).toEqual([]);
  });
});

const advice = (parts: Record<string, string>, code = "unknown-key") => {
  const found = analyze("a.skrull", spec(parts)).diagnostics.filter((one) => one.code === code);
  expect(found).toHaveLength(1);
  return found[0];
};
const train = (rest: string) => ({ train: `{ optimizer = adamw { lr = 1e-3 } ${rest} }` });
const BATCH =
  "Here it is schedule { global_batch = ... }. The scheduler makes the micro-batches, of as many tokens as fit.";

describe("a name that does not stand in its place", () => {
  it.each([
    ["lora", "{ r = 16 }", "rank"],
    ["train", "{ optimizer = adamw { lr = 1e-3 } lr_scheduler = cosine }", "learning_rate"],
    ["train", "{ optimizer = adamw { learning_rate = 1e-3 } }", undefined],
    ["parallel", "{ cp = 2 }", "context"],
    ["parallel", "{ context_parallel_size = 2 }", "context"],
    ["parallel", "{ zero_stage = 2 }", "zero"],
    ["data", '{ train = ["a"] tokenizer = "bytes" max_len = 1K }', "max_length"],
    ["data", '{ train = ["a"] tokenizer = "bytes" seq_len = 1K }', "max_length"],
  ])("in %s %s is renamed to %s", (block, body, name) => {
    const found = advice({ [block]: body });
    expect(found?.fix?.edits[0]?.new_text).toBe(name);
    if (name !== undefined) expect(found?.help).toBe(`Did you mean ${name}?`);
  });

  it.each([
    ["gradient_accumulation_steps = 4", BATCH],
    ["per_device_train_batch_size = 4", BATCH],
    ["warmup_steps = 4", "Here it is train { learning_rate = constant { warmup_steps = ... } }."],
    ["lr = 1e-5", "Here it is train { optimizer = adamw { lr = ... } }."],
    ["offload = optimizer", "Here it is memory { offload = ... }."],
    ["bf16 = true", "Here it is model { precision = ... }. bf16 is the default."],
    ["sample_packing = true", "Packing is left to the scheduler."],
    ["eval_steps = 5", "Here it is evaluate { every = ... }."],
  ])("in train %s is told where it belongs", (entry, help) => {
    const found = advice(train(entry));
    expect(found?.help).toBe(help);
    expect(found?.fix).toBeUndefined();
  });

  it("is not missed under its right name too", () => {
    const data = '{ train = ["a"] tokenizer = "bytes" max_len = 1K }';
    const codes = analyze("a.skrull", spec({ data })).diagnostics.map(({ code }) => code);
    expect(codes).toEqual(["unknown-key"]);
  });

  it("may be a block's", () => {
    expect(advice({ eval: '{ data = ["a"] }' }, "unknown-block")?.help).toBe(
      "Did you mean evaluate?",
    );
    expect(advice({ optimizer: "{ lr = 1 }" }, "unknown-block")?.help).toBe(
      "Here it is train { optimizer = ... }.",
    );
    const { diagnostics } = analyze("a.skrull", `${spec()}epochs = 2\n`);
    expect(diagnostics[0]?.help).toBe("Here it is train { epochs = ... }.");
  });

  it("is told in the form of the file", () => {
    const text = "skrull: 1\ntrain: { optimizer: { type: sgd, lr: 1 }, betas: 3, offload: all }\n";
    const { diagnostics } = analyze("a.yaml", text, { yaml: readYaml });
    const found = diagnostics.filter(({ code }) => code === "unknown-key");
    expect(found.map(({ help }) => help)).toEqual([
      "Here it is train: { optimizer: { type: adamw, betas: ... } }.",
      "Here it is memory: { offload: ... }.",
    ]);
  });
});

describe("a value that another tool would have", () => {
  it("is a beginning of one word only", () => {
    const found = advice({ schedule: "{ global_batch = 4 mode = plan }" }, "unknown-value");
    expect(found?.help).toBe("Did you mean planned?");
  });

  it("is no item of a list, which brackets alone would not make it", () => {
    const found = advice({ lora: "{ rank = 1 targets = everything }" }, "unknown-value");
    expect(found?.fix).toBeUndefined();
    expect(found?.why).toContain("q_proj");
  });

  it("is a rate where its course is told, a word in quotes, a file of a template", () => {
    expect(advice(train("learning_rate = 1e-5"), "wrong-type")?.help).toMatch(
      /^Here it is train \{ optimizer = adamw \{ lr = \.\.\. } }\./,
    );
    expect(advice(train('learning_rate = "cosine"'), "wrong-type")?.fix?.safe).toBe(true);
    const data = '{ train = ["a"] tokenizer = "bytes" max_length = 1K template = "my.json" }';
    expect(advice({ data }, "wrong-type")?.help).toBe('Write file { path = "my.json" }.');
  });
});
