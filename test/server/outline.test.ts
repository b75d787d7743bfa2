import { expect, it } from "vitest";
import { type DocumentSymbol, type FoldingRange, SymbolKind } from "vscode-languageserver-protocol";
import { files } from "../cli/run.js";
import { startClient, textAt } from "./client.js";

const TEXT = `skrull 1
# The model,
# in two lines.
model "Qwen/Qwen2.5-0.5B" {
  precision = bf16
}
train {
  optimizer = adamw {
    lr = 1e-5
    eps =
  }
  steps = 10
}
`;

it("lists blocks with their keys, in the order of the text, also where something is missing", async () => {
  const client = await startClient(files());
  await client.open("spec.skrull", TEXT);
  const textDocument = { uri: client.uri("spec.skrull") };
  const symbols = await client.request<DocumentSymbol[]>("textDocument/documentSymbol", {
    textDocument,
  });
  const outline = (list: readonly DocumentSymbol[]): unknown =>
    list.map(({ name, detail, children }) => [
      name,
      detail,
      ...(children?.length ? [outline(children)] : []),
    ]);
  expect(outline(symbols)).toEqual([
    ["model", "Qwen/Qwen2.5-0.5B", [["precision", "bf16"]]],
    [
      "train",
      undefined,
      [
        [
          "optimizer",
          "adamw",
          [
            ["lr", "1e-5"],
            ["eps", undefined],
          ],
        ],
        ["steps", "10"],
      ],
    ],
  ]);
  expect(symbols.map(({ kind }) => kind)).toEqual([SymbolKind.Namespace, SymbolKind.Namespace]);
  expect(symbols.map(({ selectionRange }) => textAt(TEXT, selectionRange))).toEqual([
    "model",
    "train",
  ]);
  expect(textAt(TEXT, symbols[0]?.range as DocumentSymbol["range"])).toMatch(/^model .*\}$/s);
});

it("folds bodies, and comments of several lines", async () => {
  const client = await startClient(files());
  await client.open("spec.skrull", TEXT);
  const textDocument = { uri: client.uri("spec.skrull") };
  const found = await client.request<FoldingRange[]>("textDocument/foldingRange", { textDocument });
  expect(found.map(({ startLine, endLine, kind }) => [startLine, endLine, kind])).toEqual([
    [1, 2, "comment"],
    [3, 4, undefined],
    [6, 11, undefined],
    [7, 9, undefined],
  ]);
});
