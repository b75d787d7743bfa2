import { describe, expect, it } from "vitest";
import type { CodeAction, Range, TextEdit } from "vscode-languageserver-protocol";
import { files, spec } from "../cli/run.js";
import { type Client, edited, startClient } from "./client.js";

const ALL: Range = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

async function actions(client: Client, range = ALL, only?: string[]): Promise<CodeAction[]> {
  const diagnostics = await client.diagnostics("spec.skrull");
  const context = { diagnostics, ...(only ? { only } : {}) };
  const textDocument = { uri: client.uri("spec.skrull") };
  return client.request("textDocument/codeAction", { textDocument, range, context });
}

const editsOf = (client: Client, action: CodeAction | undefined): TextEdit[] =>
  action?.edit?.changes?.[client.uri("spec.skrull")] ?? [];

describe("code actions", () => {
  const wrong = spec({ parallel: "{ contxt = 2 }", memory: "{ budget = 1 gib reserve = 1 MiB }" });
  const withoutVersion = wrong.replace("skrull 1\n", "");

  it("are the fixes of the diagnostics there, and mend them", async () => {
    const client = await startClient(files());
    await client.open("spec.skrull", wrong);
    const found = await actions(client);
    expect(found.map(({ title, kind, isPreferred }) => [title, kind, isPreferred])).toEqual([
      ["Rename to context", "quickfix", undefined],
      ["Write GiB", "quickfix", true],
      ["Apply all safe fixes of skrull", "source.fixAll", undefined],
    ]);
    const quick = found.filter(({ kind }) => kind === "quickfix");
    expect(quick.map(({ diagnostics }) => diagnostics?.map(({ code }) => code))).toEqual([
      ["unknown-key"],
      ["wrong-unit"],
    ]);
    const both = quick.flatMap((action) => editsOf(client, action));
    await client.change("spec.skrull", edited(wrong, both));
    expect(await client.diagnostics("spec.skrull")).toEqual([]);
    expect(await actions(client)).toEqual([]);
  });

  it("are only those of the asked place", async () => {
    const client = await startClient(files());
    await client.open("spec.skrull", wrong);
    const line = wrong.split("\n").findIndex((one) => one.startsWith("memory"));
    const range = { start: { line, character: 0 }, end: { line, character: 80 } };
    const found = await actions(client, range, ["quickfix"]);
    expect(found.map(({ title }) => title)).toEqual(["Write GiB"]);
  });

  it("prefer safe fixes, and make all of them at once", async () => {
    const client = await startClient(files());
    await client.open("spec.skrull", withoutVersion);
    const found = await actions(client, { start: ALL.start, end: ALL.start });
    expect(found.map(({ title, kind, isPreferred }) => [title, kind, isPreferred])).toEqual([
      ["Add skrull 1", "quickfix", true],
      ["Apply all safe fixes of skrull", "source.fixAll", undefined],
    ]);
    const only = await actions(client, ALL, ["source.fixAll"]);
    expect(only.map(({ kind }) => kind)).toEqual(["source.fixAll"]);
    const [first] = only;
    const mended = edited(withoutVersion, editsOf(client, first));
    expect(mended).toContain("budget = 1 GiB");
    await client.change("spec.skrull", mended);
    const codes = (await client.diagnostics("spec.skrull")).map(({ code }) => code);
    expect(codes).toEqual(["unknown-key"]);
    expect(await actions(client, ALL, ["refactor"])).toEqual([]);
  });
});
