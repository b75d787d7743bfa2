import { beforeAll, describe, expect, it } from "vitest";
import type {
  DocumentSymbol,
  Hover,
  Location,
  Range,
  TextEdit,
  WorkspaceEdit,
} from "vscode-languageserver-protocol";
import { files } from "../cli/run.js";
import {
  CURSOR as C,
  type Client,
  edited,
  marked,
  positionOf,
  startClient,
  textAt,
} from "./client.js";

const NAMES = "skrull 1\nlet steps = 4\ncluster two { gpus = 2 gpu = cpu }\n";
const TEXT = `skrull: 1
import: [names.skrull]
model: {config: model.json, weights: random, precision: fp32}
cluster: two
data:
  train: [data.jsonl]
  tokenizer: bytes
  max_length: 1K
schedule: {global_batch: 4}
train:
  optimizer: {type: adamw, lr: 1e-3}
  steps: steps
`;
const NAME = "spec.skrull.yaml";

it("has diagnostics at their places in the YAML", async () => {
  const client = await startClient({ ...files(), "names.skrull": NAMES });
  await client.open(NAME, TEXT);
  expect(await client.diagnostics(NAME)).toEqual([]);
  const wrong = TEXT.replace("1K", "1 GiB").replace("weights:", "wights:");
  await client.change(NAME, wrong);
  const found = await client.diagnostics(NAME);
  expect(found.map(({ code }) => code)).toEqual(["unknown-key", "wrong-unit"]);
  expect(textAt(wrong, found[0]?.range as never)).toBe("wights");
});

it("has hovers on keys, values, blocks and names", async () => {
  const client = await startClient({ ...files(), "names.skrull": NAMES });
  const text = `${TEXT}named:\n  memory:\n    small: {budget: 1 GiB}\nruns:\n  long:\n    data: {max_length: 2K}\n`;
  await client.open(NAME, text);
  const hover = async (word: string, n = 0) => {
    const { length } = text
      .split(word)
      .slice(0, n + 1)
      .join(word);
    const found = await client.request<Hover | null>("textDocument/hover", {
      textDocument: { uri: client.uri(NAME) },
      position: positionOf(text.slice(0, length + 1)),
    });
    if (!found) return null;
    const { value } = found.contents as { readonly value: string };
    return { over: textAt(text, found.range as Range), value };
  };
  const policy = await hover("global_batch");
  expect(policy?.over).toBe("global_batch");
  expect(policy?.value).toMatch(/^`global_batch`: whole number.*Here: `4`$/s);
  expect((await hover("1K"))?.value).toContain("Here: `2,048 tokens`");
  expect((await hover("2K"))?.over).toBe("2K");
  expect((await hover("[data.jsonl"))?.value).toContain("Files, folders or glob patterns");
  expect((await hover("data.jsonl"))?.value).toContain('Here: `["data.jsonl"]`');
  expect((await hover("lr"))?.value).toContain("Here: `0.001`");
  expect((await hover("adamw"))?.value).toContain("Here: `adamw`");
  expect((await hover("schedule"))?.value).toContain("Block `schedule`");
  expect((await hover("skrull"))?.value).toContain("The version of the language");
  const two = await hover("two");
  expect(two?.value).toContain("Named block, from `names.skrull`");
  const steps = await hover("steps: steps");
  expect(steps?.value).toMatch(/^`steps`/);
  expect((await hover("steps\n"))?.value).toMatch(/let steps = 4.*Here: `4`$/s);
  expect((await hover("budget"))?.value).not.toContain("Here");
  expect(await hover(": [names")).toBeNull();
});

describe("completion", () => {
  const START = "skrull: 1\nimport: [names.skrull]\n";
  let client: Client;
  beforeAll(async () => {
    client = await startClient({ ...files(), "names.skrull": NAMES });
  });
  const labels = async (text: string, name = NAME) =>
    (await client.complete(text, name)).map(({ label }) => label);
  const chosen = async (text: string, label: string) => {
    const item = (await client.complete(text, NAME)).find((one) => one.label === label);
    return edited(marked(text).whole, [item?.textEdit as TextEdit]);
  };

  it("offers blocks and what else stands at the top", async () => {
    const found = await labels(`${START}model:\n  config: m.json\n${C}\ntrain:\n`);
    expect(found.slice(0, 3)).toEqual(["cluster", "data", "schedule"]);
    expect(found).toContain("cluster: two");
    expect(found.slice(-3)).toEqual(["let", "named", "runs"]);
    expect(await chosen(`${START}clus${C}`, "cluster")).toBe(`${START}cluster:`);
    expect(await chosen(`${START}clus${C}: two`, "cluster")).toBe(`${START}cluster: two`);
    expect(await labels(`${START}cluster: ${C}`)).toEqual(["two"]);
  });

  it("offers the keys of a block that are not there, at any place of it", async () => {
    const around = ["cluster:\n  nodes: 2\n\n  # more\n  ", "\n  gpu: cpu\ndata:\n  gpus: 3\n"];
    const found = await labels(START + around.join(C));
    expect(found[0]).toBe("gpus");
    expect(found.at(-1)).toBe("extends");
    for (const there of ["nodes", "gpu"]) expect(found).not.toContain(there);
    expect(await chosen(`${START}cluster:\r\n  gp${C}\r\n`, "gpus")).toContain("  gpus: \r\n");
    expect(await chosen(`${START}cluster:\n  gp${C}: 4\n`, "gpus")).toContain("  gpus: 4\n");
    expect(await labels(`${START}model:\n  ${C}`)).toContain("name");
  });

  it("offers words of a value, items of a list, and names", async () => {
    const precision = await labels(`${START}model:\n  precision: ${C}\n`);
    expect(precision).toEqual(["bf16", "fp32", "steps"]);
    const targets = `${START}lora:\n  targets:\n`;
    expect((await labels(`${targets}    - q_proj\n    - ${C}`))[0]).toBe("attention");
    expect((await labels(`${targets}  - ${C}`))[0]).toBe("attention");
    expect(await labels(`${START}cluster:\n  extends: t${C}`)).toEqual(["two"]);
    expect(await labels(`${START}model:\n  name: ${C}`)).toContain("Qwen/Qwen2.5-0.5B");
  });

  it("follows choices, named blocks and runs", async () => {
    const optimizer = `${START}train:\n  optimizer:\n`;
    expect(await labels(`${optimizer}    ${C}`)).toEqual(["type"]);
    expect(await labels(`${optimizer}    type: ${C}`)).toEqual([
      "adamw",
      "adamw8bit",
      "muon",
      "sgd",
    ]);
    const sgd = await labels(`${optimizer}    type: sgd # plain\n    ${C}`);
    expect(sgd.slice(0, 2)).toEqual(["lr", "momentum"]);
    expect(await labels(`${START}named:\n  cluster:\n    big:\n      ${C}`)).toContain("gpus");
    expect(await labels(`${START}named:\n  cluster:\n    ${C}`)).toEqual([]);
    expect(await labels(`${START}runs:\n  long:\n    ${C}`)).toContain("cluster: two");
    expect(await labels(`${START}runs:\n  long:\n    data:\n      ${C}`)).toContain("max_length");
  });

  it("keeps silent in comments, quotes, brackets and JSON", async () => {
    for (const text of ["# mo", 'model: "', "model: {pre", "model:\n  precision: [b"])
      expect(await labels(`${START}${text}${C}`)).toEqual([]);
    expect(await labels(`{"skrull": 1,\n"mod${C}`, "spec.skrull.json")).toEqual([]);
  });
});

it("has an outline, definitions and renaming, and leaves formatting and folding to others", async () => {
  const client = await startClient({ ...files(), "names.skrull": NAMES });
  await client.open(NAME, TEXT);
  const textDocument = { uri: client.uri(NAME) };
  const ask = <R>(method: string, line: number, character: number, more = {}) =>
    client.request<R>(method, { textDocument, position: { line, character }, ...more });
  const symbols = await client.request<DocumentSymbol[]>("textDocument/documentSymbol", {
    textDocument,
  });
  expect(symbols.map(({ name }) => name)).toEqual([
    ...["names.skrull", "model", "cluster", "data", "schedule", "train"],
  ]);
  const two = await ask<Location>("textDocument/definition", 3, 10);
  expect(two.uri).toBe(client.uri("names.skrull"));
  expect(textAt(NAMES, two.range)).toBe("two");
  const { changes = {} } = await ask<WorkspaceEdit>("textDocument/rename", 11, 10, {
    newName: "count",
  });
  expect(edited(TEXT, changes[client.uri(NAME)] ?? [])).toBe(
    TEXT.replace("steps: steps", "steps: count"),
  );
  expect(edited(NAMES, changes[client.uri("names.skrull")] ?? [])).toBe(
    NAMES.replace("let steps", "let count"),
  );
  const options = { tabSize: 2, insertSpaces: true };
  expect(await ask("textDocument/formatting", 0, 0, { options })).toEqual([]);
  expect(await ask("textDocument/foldingRange", 0, 0)).toBeNull();
});

it("has named blocks of a kind beside each other in the outline", async () => {
  const client = await startClient(files());
  await client.open(
    NAME,
    "skrull: 1\nnamed:\n  cluster:\n    a: {gpus: 1}\n    b:\n      gpus: 2\n",
  );
  const textDocument = { uri: client.uri(NAME) };
  const symbols = await client.request<DocumentSymbol[]>("textDocument/documentSymbol", {
    textDocument,
  });
  expect(symbols.map(({ name, range: { start, end } }) => [name, start, end.line])).toEqual([
    ["cluster a", { line: 3, character: 4 }, 3],
    ["cluster b", { line: 4, character: 4 }, 6],
  ]);
});

it("renames a constant inside a calculation, and nothing around it", async () => {
  const client = await startClient({ ...files(), "names.skrull": NAMES });
  const text = TEXT.replace("steps: steps", 'steps: "2 * steps + steps - 1"');
  await client.open(NAME, text);
  await client.open("names.skrull", NAMES);
  const declared = {
    textDocument: { uri: client.uri("names.skrull") },
    position: { line: 1, character: 5 },
  };
  const found = await client.request<Location[]>("textDocument/references", {
    ...declared,
    context: { includeDeclaration: false },
  });
  expect(found.map(({ range }) => textAt(text, range))).toEqual(["steps", "steps"]);
  const prepare = (before: string) =>
    client.request<{ range: Range } | null>("textDocument/prepareRename", {
      textDocument: { uri: client.uri(NAME) },
      position: positionOf(text.slice(0, text.indexOf("2 * steps") + before.length)),
    });
  const second = (await prepare("2 * steps + st"))?.range.start.character;
  expect(second).toBe('  steps: "2 * steps + '.length);
  expect(await prepare("2")).toBeNull();
  const { changes = {} } = await client.request<WorkspaceEdit>("textDocument/rename", {
    ...declared,
    newName: "n",
  });
  expect(edited(text, changes[client.uri(NAME)] ?? [])).toBe(
    text.replace("2 * steps + steps - 1", "2 * n + n - 1"),
  );
});
