import { describe, expect, it } from "vitest";
import { formatOf, recognise, written } from "../../src/inputs/recognise.js";
import { parseSample } from "../../src/lengths/format.js";
import { analyze } from "../../src/semantics/analyze.js";
import { MODEL, project, skrull, spec } from "../cli/run.js";

const ROWS: readonly (readonly [string, object])[] = [
  ["messages", { messages: [{ role: "user", content: "a" }] }],
  ["sharegpt", { conversations: [{ from: "human", value: "a" }] }],
  ["alpaca", { instruction: "a", output: "b" }],
  ["prompt-completion", { prompt: "a", completion: "b" }],
  ["text", { text: "a" }],
  ['messages { messages = "conversations" }', { conversations: [{ role: "u", content: "a" }] }],
  ['sharegpt { conversations = "messages" }', { messages: [{ from: "gpt", value: "a" }] }],
  ['alpaca { output = "response" }', { instruction: "a", response: "b" }],
  ['prompt-completion { completion = "response" }', { prompt: "a", response: "b" }],
  ['text { text = "content" }', { content: "a" }],
];

describe("lines of data", () => {
  it.each(ROWS)("that look like %s are recognised, and the spec says so", (layout, row) => {
    const found = recognise([JSON.stringify(row)]);
    if (typeof found === "string") throw new Error(found);
    expect(written(found)).toBe(layout);
    const data = `{ train = ["a"] tokenizer = "bytes" max_length = 1K format = ${layout} }`;
    const format = analyze("a.skrull", spec({ data })).runs[0]?.spec?.data.format;
    expect(format).toEqual(formatOf(found));
    expect(format && parseSample(JSON.stringify(row), format).ok).toBe(true);
  });

  it("that have no layout in common, or are none, are not", () => {
    const [first, second] = ROWS.map(([, row]) => JSON.stringify(row));
    expect(recognise([first ?? "", second ?? ""])).toBe("unknown");
    expect(recognise(["nonsense"])).toBe("unknown");
    expect(recognise([])).toBe("unknown");
    expect(recognise(["[", '{"text": "a"},'])).toBe("array");
  });
});

const lines = (row: object, count = 9) => `${JSON.stringify(row)}\n`.repeat(count);
const SHAREGPT = lines(ROWS[1]?.[1] ?? {});

describe("data in another format", () => {
  const plan = (files: Record<string, string>, parts = {}) => {
    const cwd = project({ "model.json": MODEL, "spec.skrull": spec(parts), ...files });
    return skrull(["plan", "spec.skrull"], { cwd }).stderr;
  };

  it("is told with the format to write, and one line is quoted", () => {
    const told = plan({ "data.jsonl": SHAREGPT });
    expect(told).toContain(
      "help: 'data.jsonl' looks like sharegpt: write data { format = sharegpt }",
    );
    expect(told).toContain(
      '9 malformed lines, 0 tolerated; data.jsonl:1 has no list "messages"; …',
    );
    expect(told).not.toContain("no-samples");
  });

  it("is no reason to change the format where other data has it", () => {
    const evaluate = '{ data = ["held.jsonl"] every = 1 }';
    const files = { "data.jsonl": lines(ROWS[0]?.[1] ?? {}), "held.jsonl": SHAREGPT };
    expect(plan(files, { evaluate })).toContain(
      "'held.jsonl' looks like sharegpt; all data of a spec has one format, here messages.",
    );
  });

  it("may be an array, or nothing that is known", () => {
    expect(plan({ "data.jsonl": '[{"text": "a"}]\n' })).toContain("it is a JSON array;");
    expect(plan({ "data.jsonl": '{"x": 1}\n' })).toContain(
      "No line of 'data.jsonl' can be read as messages:",
    );
  });

  const items = Array.from({ length: 9 }, () => ROWS[0]?.[1]);
  const ARRAYS: readonly (readonly [string, string])[] = [
    ["on one line", JSON.stringify(items)],
    ["indented", JSON.stringify(items, null, 2)],
    ["with an item a line", `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]\n`],
    ["after blanks and a mark", `\ufeff\n\n ${JSON.stringify(items)}`],
  ];
  it.each(
    ARRAYS,
  )("that is an array %s is told to become lines, never to be left out", (_, text) => {
    const told = plan({ "data.jsonl": text });
    expect(told).toContain("help: Of 'data.jsonl': it is a JSON array; write each of its items on");
    expect(told).not.toContain("malformed = ");
    // Whoever tolerates all of it is told as well.
    const data = '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 1K malformed = 999 }';
    expect(plan({ "data.jsonl": text }, { data })).toContain("it is a JSON array");
    const cwd = project({ "data.jsonl": text });
    const { stdout } = skrull(["lengths", "data.jsonl", "--tokenizer", "bytes"], { cwd });
    expect(stdout).toContain("data.jsonl: it is a JSON array;");
  });

  it("may lose one line in a hundred, and no more", () => {
    const good = lines(ROWS[0]?.[1] ?? {}, 99);
    const tolerate = "or tolerate them: data { malformed = 1 }";
    expect(plan({ "data.jsonl": `${good}nonsense\n` })).toContain(tolerate);
    expect(plan({ "data.jsonl": `[]\n${good}` })).toContain(tolerate);
    const more = plan({ "data.jsonl": `${good}nonsense\n{}\n` });
    expect(more).toContain("help: Repair the lines, or leave them out of the file.");
    expect(more).not.toContain("malformed = ");
  });

  it("has no lengths to show", () => {
    const cwd = project({ "data.jsonl": SHAREGPT });
    const { stdout } = skrull(["lengths", "data.jsonl", "--tokenizer", "bytes"], { cwd });
    expect(stdout).toBe(
      'data.jsonl:1: has no list "messages"\n' +
        "data.jsonl: and 8 more malformed lines\n" +
        "data.jsonl: no line can be read: it looks like --data-format sharegpt\n",
    );
  });
});

it("evaluation data that is lost or missing is not called training data", () => {
  const evaluate = '{ data = ["held.jsonl"] every = 1 }';
  const data = '{ train = ["data.jsonl"] tokenizer = "bytes" max_length = 50 overlong = drop }';
  const held = lines({ messages: [{ role: "assistant", content: "a".repeat(99) }] }, 1);
  const files = { "model.json": MODEL, "data.jsonl": lines(ROWS[0]?.[1] ?? {}) };
  const text = spec({ data, evaluate });
  const lost = project({ ...files, "spec.skrull": text, "held.jsonl": held });
  expect(skrull(["plan", "spec.skrull"], { cwd: lost }).stderr).toContain(
    "no sample is left to evaluate on",
  );
  const missing = project({ ...files, "spec.skrull": text });
  expect(skrull(["plan", "spec.skrull"], { cwd: missing }).stderr).toContain(
    "why: There would be nothing to evaluate on.",
  );
});
