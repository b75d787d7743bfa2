import { expect, it } from "vitest";
import type { TextEdit } from "vscode-languageserver-protocol";
import { files, skrull, spec } from "../cli/run.js";
import { edited, startClient } from "./client.js";

const OPTIONS = { tabSize: 8, insertSpaces: false };
const messy = spec({
  data: '{ # the data\ntrain=["data.jsonl"]\n tokenizer="bytes"   max_length = 1K }',
});

it("writes what fmt writes, and changes only the lines that differ", async () => {
  const client = await startClient({ ...files(), "spec.skrull": messy });
  await client.open("spec.skrull");
  const textDocument = { uri: client.uri("spec.skrull") };
  const params = { textDocument, options: OPTIONS };
  const edits = await client.request<TextEdit[]>("textDocument/formatting", params);
  const formatted = edited(messy, edits);
  expect(formatted).not.toBe(messy);
  const { stdout } = skrull(["fmt", "-"], { cwd: client.folder, input: messy });
  expect(formatted).toBe(stdout);
  await client.change("spec.skrull", formatted);
  expect(await client.request("textDocument/formatting", params)).toEqual([]);
  await client.change("spec.skrull", formatted.replace('bytes"', 'bytes"   # here'));
  const [one, ...others] = await client.request<TextEdit[]>("textDocument/formatting", params);
  expect(others).toEqual([]);
  expect((one?.range.end.line ?? 0) - (one?.range.start.line ?? 0)).toBeLessThan(4);
});

it("keeps the line ends of the text", async () => {
  const client = await startClient(files());
  const text = "skrull 1\r\n\r\nlet a=1\r\nlet b = 2\r\n";
  await client.open("spec.skrull", text);
  const params = { textDocument: { uri: client.uri("spec.skrull") }, options: OPTIONS };
  expect(await client.request("textDocument/formatting", params)).toEqual([
    {
      range: { start: { line: 2, character: 0 }, end: { line: 3, character: 0 } },
      newText: "let a = 1\r\n",
    },
  ]);
  await client.change("spec.skrull", text.replace("a=1", "a = 1"));
  expect(await client.request("textDocument/formatting", params)).toEqual([]);
});

it("is offered for the language's own form only, to a client that can tell", async () => {
  const simple = await startClient(files());
  expect(simple.initialized?.capabilities.documentFormattingProvider).toBe(true);
  const formatting = { dynamicRegistration: true };
  const client = await startClient(files(), { textDocument: { formatting } });
  await client.open("spec.skrull");
  await client.diagnostics("spec.skrull");
  expect(client.initialized?.capabilities.documentFormattingProvider).toBeUndefined();
  expect(client.registered).toEqual(["textDocument/formatting"]);
});

it("leaves text with syntax errors alone", async () => {
  const client = await startClient(files());
  await client.open("spec.skrull", `${messy}\ntrain {`);
  const textDocument = { uri: client.uri("spec.skrull") };
  const params = { textDocument, options: OPTIONS };
  expect(await client.request("textDocument/formatting", params)).toEqual([]);
});
