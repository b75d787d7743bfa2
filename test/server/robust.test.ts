import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ErrorCodes, type ResponseError } from "vscode-languageserver-protocol";
import { files, project, ROOT, spec } from "../cli/run.js";
import { startClient } from "./client.js";

const TEXTS: Readonly<Record<string, string>> = {
  nothing: "",
  garbage: '\u0000\u{1F4A5}}}}][[=={{ "\\q \uD800 skrull skrull = = { import let run extends\n\r\t',
  brackets: "{[(".repeat(20_000),
  "an endless string": `skrull 1\nmodel "${"a".repeat(100_000)}`,
  "half a spec": spec().slice(0, 180),
  "10,000 lines": spec() + "data { train = [1, 2] }\n".repeat(10_000),
  "too long": "#".repeat(300_000),
};

const METHODS = ["hover", "completion", "definition", "references", "prepareRename"];
const WHOLE = ["documentSymbol", "foldingRange", "semanticTokens/full", "formatting"];

describe("every feature answers on", () => {
  it.each(Object.entries(TEXTS))("%s", async (_, text) => {
    const client = await startClient(files());
    await client.open("spec.skrull", text);
    await client.diagnostics("spec.skrull");
    const lines = text.split(/\r\n|\n|\r/);
    const textDocument = { uri: client.uri("spec.skrull") };
    const places = [0, Math.floor(lines.length / 2), lines.length - 1].flatMap((line) => {
      const { length } = lines[line] ?? "";
      return [0, Math.floor(length / 2), length, length + 100].map((character) => ({
        line,
        character,
      }));
    });
    const context = { includeDeclaration: true };
    for (const position of [...places, { line: lines.length + 50, character: 3 }]) {
      for (const method of METHODS) {
        const params = { textDocument, position, context };
        const answer = client.request(`textDocument/${method}`, params);
        await expect(answer, method).resolves.toBeDefined();
      }
    }
    const options = { tabSize: 2, insertSpaces: true };
    for (const method of WHOLE) {
      const answer = client.request(`textDocument/${method}`, { textDocument, options });
      await expect(answer, method).resolves.toBeDefined();
    }
    expect(client.stderr).toBe("");
  });
});

it("answers null for documents that are not open", async () => {
  const client = await startClient(files());
  const textDocument = { uri: client.uri("spec.skrull") };
  const position = { line: 1, character: 1 };
  expect(await client.request("textDocument/hover", { textDocument, position })).toBeNull();
  expect(await client.request("textDocument/documentSymbol", { textDocument })).toBeNull();
});

it("says that it does not know a method, and goes on", async () => {
  const client = await startClient(files());
  const error = await client.request("skrull/nonsense", {}).catch((e: ResponseError<unknown>) => e);
  expect((error as ResponseError<unknown>).code).toBe(ErrorCodes.MethodNotFound);
  await client.connection.sendNotification("skrull/nonsense", {});
  await client.open("spec.skrull");
  expect(await client.diagnostics("spec.skrull")).toEqual([]);
});

it("accepts a document with an address that is no file", async () => {
  const client = await startClient(files());
  await client.connection.sendNotification("textDocument/didOpen", {
    textDocument: {
      uri: "untitled:Untitled-1",
      languageId: "skrull",
      version: 1,
      text: "skrull 1",
    },
  });
  const symbols = await client.request("textDocument/documentSymbol", {
    textDocument: { uri: "untitled:Untitled-1" },
  });
  expect(symbols).toEqual([]);
});

describe("the server ends", () => {
  it("with 0 after shutdown and exit", async () => {
    const client = await startClient();
    await client.stop();
    expect(await client.exited).toBe(0);
  });

  it("with 1 when it is told to exit without shutdown", async () => {
    const client = await startClient();
    await client.connection.sendNotification("exit");
    expect(await client.exited).toBe(1);
  });

  it("when its input ends", async () => {
    const client = await startClient(files());
    await client.open("spec.skrull");
    client.process.stdin.end();
    expect(await client.exited).toBe(1);
    expect(client.stderr).toBe("");
  });

  it("when its client is killed", async () => {
    const folder = project(files());
    const server = JSON.stringify([`${ROOT}dist/cli/main.js`, "lsp"]);
    const client = `
      const server = require("node:child_process").spawn(process.execPath, ${server});
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize",
        params: { processId: process.pid, rootUri: null, capabilities: {} } });
      server.stdin.write("Content-Length: " + body.length + "\\r\\n\\r\\n" + body);
      server.stdout.once("data", () => console.log(server.pid));`;
    const parent = spawn(process.execPath, ["-e", client], { cwd: folder });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once("data", (data: Buffer) => resolve(Number(data.toString())));
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50));
  });
});

/** A process that ended but that nobody waits for counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s*Z/m.test(readFileSync(status, "utf8"));
}
