import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyze } from "../../src/semantics/analyze.js";
import { complete } from "../../src/server/completion.js";
import { definitionAt } from "../../src/server/definition.js";
import { AnalysedDocument } from "../../src/server/document.js";
import { documentSymbols } from "../../src/server/document-symbols.js";
import { foldingRanges } from "../../src/server/folding.js";
import { hoverAt } from "../../src/server/hover.js";
import { offsetOf } from "../../src/server/positions.js";
import { LEGEND, semanticTokens } from "../../src/server/semantic-tokens.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { ROOT } from "../cli/run.js";

const EXAMPLE = readFileSync(`${ROOT}examples/quickstart/h100.skrull`, "utf8");
const REUSE = `skrull 1
import "a.skrull"
let seq = 2 * (128K - 1K) / 2
cluster h100 { nodes = 4 gpus = 8 gpu = h100_sxm_80gb network = 400 Gbit/s }
cluster big extends h100 { nodes = 8 }
model qwen "Qwen/Qwen2.5-0.5B" { }
data { train = ["a.jsonl", "b.jsonl"] max_length = seq / 2 } # the data
run short { cluster = big train { optimizer = adamw { lr = 1e-5 betas = [0.9, 0.99] } } }
run long extends short { model = qwen }
`;

const documentOf = (text: string, path = "/p/a.skrull") =>
  new AnalysedDocument(path, text, analyze(path, text, { yaml: readYaml }));
const YAML = `skrull: 1
import: [a.skrull]
let: {seq: 2 * 128K}
named: # all of them
  cluster:
    big: {nodes: 4, gpus: 8, gpu: h100_sxm_80gb}
model: {name: "Qwen/Qwen2.5-0.5B"}
data:
  train:
    - a.jsonl
  max_length: seq
train:
  optimizer:
    type: adamw
    betas: [0.9, 0.99]
runs:
  long: {extends: short, cluster: big}
`;
const OPTIONS = { snippets: true, list: () => ["a/", "b.skrull"] };

/** Asks every feature at an offset, and checks that what it answers lies in the text. */
function askAll(document: AnalysedDocument, offset: number): void {
  const { text, lines } = document;
  for (const { textEdit } of complete(document, offset, OPTIONS)) {
    if (!textEdit || !("range" in textEdit)) throw new Error("no edit");
    const { start, end } = textEdit.range;
    expect(start.line).toBe(end.line);
    expect(offsetOf(lines, start)).toBeLessThanOrEqual(offset);
    expect(offsetOf(lines, end)).toBeGreaterThanOrEqual(offset);
    expect(offsetOf(lines, end)).toBeLessThanOrEqual(text.length);
  }
  hoverAt(document, offset);
  definitionAt(document, offset);
}

function askWhole(document: AnalysedDocument): void {
  documentSymbols(document);
  foldingRanges(document);
  const { data } = semanticTokens(document);
  for (let n = 0; n < data.length; n += 5) {
    expect(data[n + 2]).toBeGreaterThan(0);
    expect(data[n + 3]).toBeLessThan(LEGEND.tokenTypes.length);
  }
}

describe.each([
  ["the example", EXAMPLE],
  ["named blocks and runs", REUSE],
])("no feature fails on %s", (_, text) => {
  it("at any offset", () => {
    const document = documentOf(text);
    for (let offset = 0; offset <= text.length; offset += 1) askAll(document, offset);
    askWhole(document);
  });

  it("cut off after any token, where someone is typing", () => {
    for (const { end } of documentOf(text).tokens) {
      const cut = documentOf(text.slice(0, end));
      askAll(cut, end);
      askWhole(cut);
    }
  });

  it("with any token left out", () => {
    for (const { start, end } of documentOf(text).tokens) {
      const cut = documentOf(text.slice(0, start) + text.slice(end));
      askAll(cut, start);
      askWhole(cut);
    }
  });
});

it("no feature fails on YAML at any offset, whole or cut off there", () => {
  const document = documentOf(YAML, "/p/a.skrull.yaml");
  askWhole(document);
  for (let offset = 0; offset <= YAML.length; offset += 1) {
    askAll(document, offset);
    const cut = documentOf(YAML.slice(0, offset), "/p/a.skrull.yaml");
    askAll(cut, offset);
    askWhole(cut);
  }
});

it("no feature fails on tokens in any order", () => {
  const words = ["skrull", "let", "run", "import", "extends", "cluster", "gpus", "K", "adamw"];
  const symbols = ["{", "}", "[", "]", "(", ")", "=", ",", "+", "-", "*", "/", "# c\n", "\n", '"'];
  const token = fc.constantFrom(...words, ...symbols, "1", "2.5", '"a"', "GB/s", "\u{1F600}");
  fc.assert(
    fc.property(fc.array(token, { maxLength: 30 }), fc.nat(), (tokens, at) => {
      const document = documentOf(tokens.join(" "));
      askAll(document, at % (document.text.length + 1));
      askWhole(document);
    }),
  );
});
