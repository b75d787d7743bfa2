import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { files, skrull, spec } from "../cli/run.js";
import { startClient, textAt } from "./client.js";

it("shows what lint reports, at the same places, and as the text changes", async () => {
  const text = spec({ parallel: "{ contxt = 2 }", memory: "{ budget = 1 GB reserve = 1 parsec }" });
  const client = await startClient({ ...files(), "spec.skrull": text });
  await client.open("spec.skrull");
  const shown = await client.diagnostics("spec.skrull");
  const { stdout } = skrull(["lint", "--format", "json", "spec.skrull"], { cwd: client.folder });
  const linted = JSON.parse(stdout).diagnostics as {
    code: string;
    severity: string;
    message: string;
    range: { start: { line: number; column: number } };
  }[];
  expect(shown.map(({ code }) => code)).toEqual(["unknown-key", "wrong-unit"]);
  expect(
    shown.map(({ code, range: { start }, message }) => ({
      code,
      message: String(message).split("\n")[0],
      start: { line: start.line + 1, column: start.character + 1 },
    })),
  ).toEqual(linted.map(({ code, range, message }) => ({ code, message, start: range.start })));
  expect(shown.map(({ range }) => textAt(text, range))).toEqual(["contxt", "parsec"]);
  expect(shown.map(({ severity, source }) => [severity, source])).toEqual([
    [1, "skrull"],
    [1, "skrull"],
  ]);
});

it("leads from a code to its page, where the client makes a link of it", async () => {
  const publishDiagnostics = { codeDescriptionSupport: true };
  const client = await startClient(files(), { textDocument: { publishDiagnostics } });
  await client.open("spec.skrull", spec({ parallel: "{ contxt = 2 }" }));
  const [found] = await client.diagnostics("spec.skrull");
  const page = readFileSync(new URL(found?.codeDescription?.href ?? ""), "utf8");
  expect(page).toContain("unknown-key");
  const simple = await startClient(files());
  await simple.open("spec.skrull", spec({ parallel: "{ contxt = 2 }" }));
  expect((await simple.diagnostics("spec.skrull"))[0]?.codeDescription).toBeUndefined();
});

it("follows incremental edits, in UTF-16 columns", async () => {
  const client = await startClient(files());
  const text = `# 𝓤 is two units\n${spec()}`;
  await client.open("spec.skrull", text);
  expect(await client.diagnostics("spec.skrull")).toEqual([]);
  const line = text.split("\n").findIndex((one) => one.startsWith("parallel"));
  const at = "parallel { context = ".length;
  const range = { start: { line, character: at }, end: { line, character: at + 1 } };
  await client.change("spec.skrull", '"𝓤" zero = 9', range);
  const [first, second] = await client.diagnostics("spec.skrull");
  expect([first?.code, second?.code]).toEqual(["wrong-type", "out-of-range"]);
  expect(first?.range).toEqual({ ...range, end: { line, character: at + 4 } });
  expect(second?.range.start.character).toBe(at + '"𝓤" zero = '.length);
  await client.change("spec.skrull", "2", {
    start: range.start,
    end: { line, character: at + '"𝓤" zero = 9'.length },
  });
  expect(await client.diagnostics("spec.skrull")).toEqual([]);
});

it("names the related place, and takes everything back when a document is closed", async () => {
  const client = await startClient(files());
  await client.open("spec.skrull", spec({ parallel: "{ zero = 1 zero = 2 }" }));
  const [found] = await client.diagnostics("spec.skrull");
  expect(found?.code).toBe("duplicate-key");
  expect(found?.relatedInformation?.[0]?.message).toBe("first set here");
  expect(found?.relatedInformation?.[0]?.location.uri).toBe(client.uri("spec.skrull"));
  await client.close("spec.skrull");
  await client.nextPublished();
  expect(client.shown("spec.skrull").at(-1)?.diagnostics).toEqual([]);
});

it("makes one round of many keystrokes", async () => {
  const client = await startClient(files());
  const long = spec() + "# a comment\n".repeat(10_000);
  await client.open("spec.skrull", long);
  await client.diagnostics("spec.skrull");
  const line = long.split("\n").length - 1;
  for (let n = 0; n < 100; n += 1) {
    const end = { line, character: n };
    await client.change("spec.skrull", "#", { start: end, end });
  }
  expect(await client.diagnostics("spec.skrull")).toEqual([]);
  expect(client.shown("spec.skrull").length).toBeLessThan(60);
});
