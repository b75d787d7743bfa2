import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll } from "vitest";
import {
  type CompletionItem,
  createProtocolConnection,
  type Diagnostic,
  type InitializeParams,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from "vscode-languageserver-protocol/node";
import { project, ROOT } from "../cli/run.js";

/** Marks the cursor in a test's text. */
export const CURSOR = "┆";

/** A real client of the built server: a child process and a protocol connection over its streams. */
export class Client {
  readonly process: ChildProcessWithoutNullStreams;
  readonly connection: ProtocolConnection;
  readonly exited: Promise<number | null>;
  initialized: InitializeResult | undefined;
  /** Methods that the server asked to be told of. */
  readonly registered: string[] = [];
  stderr = "";
  readonly #shown = new Map<string, PublishDiagnosticsParams[]>();
  readonly #waiting: (() => void)[] = [];
  readonly #versions = new Map<string, number>();

  constructor(readonly folder: string) {
    const cache = join(folder, ".cache");
    this.process = spawn(process.execPath, [`${ROOT}dist/cli/main.js`, "lsp"], {
      cwd: folder,
      env: { ...process.env, SKRULL_CACHE: cache },
    });
    this.process.stderr.on("data", (data: Buffer) => {
      this.stderr += data.toString("utf8");
    });
    this.exited = new Promise((resolve) => this.process.on("exit", resolve));
    this.connection = createProtocolConnection(
      new StreamMessageReader(this.process.stdout),
      new StreamMessageWriter(this.process.stdin),
    );
    this.connection.onNotification("textDocument/publishDiagnostics", (shown) => {
      const known = this.#shown.get(shown.uri) ?? [];
      this.#shown.set(shown.uri, [...known, shown]);
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.connection.onRequest("client/registerCapability", ({ registrations }) => {
      this.registered.push(...registrations.map(({ method }: { method: string }) => method));
      return null;
    });
    this.connection.listen();
  }

  async start(capabilities: InitializeParams["capabilities"] = {}): Promise<this> {
    const params = { processId: process.pid, rootUri: this.uri(""), capabilities };
    this.initialized = await this.request<InitializeResult>("initialize", params);
    await this.connection.sendNotification("initialized", {});
    return this;
  }

  uri(name: string): string {
    return pathToFileURL(join(this.folder, name)).href;
  }

  request<Result>(method: string, params: unknown): Promise<Result> {
    return this.connection.sendRequest(method, params) as Promise<Result>;
  }

  /** Opens a file of the project, or a text that is not saved. */
  async open(name: string, text = readFileSync(join(this.folder, name), "utf8")): Promise<void> {
    this.#versions.set(name, 1);
    await this.connection.sendNotification("textDocument/didOpen", {
      textDocument: { uri: this.uri(name), languageId: "skrull", version: 1, text },
    });
  }

  /** Changes a part of an open document, or all of it. */
  async change(name: string, text: string, range?: Range): Promise<void> {
    const version = (this.#versions.get(name) ?? 0) + 1;
    this.#versions.set(name, version);
    await this.connection.sendNotification("textDocument/didChange", {
      textDocument: { uri: this.uri(name), version },
      contentChanges: [range ? { range, text } : { text }],
    });
  }

  async close(name: string): Promise<void> {
    await this.connection.sendNotification("textDocument/didClose", {
      textDocument: { uri: this.uri(name) },
    });
  }

  /** The diagnostics of a document as it is now. */
  async diagnostics(name: string): Promise<readonly Diagnostic[]> {
    return (await this.published(name, this.#versions.get(name))).diagnostics;
  }

  /** What was shown of a version of a document, once it has been; the latest where it was shown again. */
  async published(name: string, version: number | undefined): Promise<PublishDiagnosticsParams> {
    for (;;) {
      const shown = this.#shown.get(this.uri(name))?.findLast((one) => one.version === version);
      if (shown) return shown;
      await this.nextPublished();
    }
  }

  nextPublished(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Everything that was shown of a document, in order. */
  shown(name: string): readonly PublishDiagnosticsParams[] {
    return this.#shown.get(this.uri(name)) ?? [];
  }

  /** Opens a text with a {@link CURSOR} under a name, and asks something about that place. */
  async ask<Result>(
    method: string,
    text: string,
    name = "spec.skrull",
    more = {},
  ): Promise<Result> {
    const { before, whole } = marked(text);
    if (this.#versions.has(name)) await this.change(name, whole);
    else await this.open(name, whole);
    const params = { textDocument: { uri: this.uri(name) }, position: positionOf(before), ...more };
    return this.request<Result>(method, params);
  }

  async complete(text: string, name?: string): Promise<readonly CompletionItem[]> {
    const items = await this.ask<CompletionItem[]>("textDocument/completion", text, name);
    return items.toSorted((a, b) => ((a.sortText ?? "") < (b.sortText ?? "") ? -1 : 1));
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    await this.request("shutdown", undefined);
    await this.connection.sendNotification("exit");
    await this.exited;
  }
}

const clients: Client[] = [];
afterAll(async () => {
  await Promise.all(clients.splice(0).map((client) => client.stop()));
});

/** A server that has started in a fresh project with these files. */
export async function startClient(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  capabilities?: InitializeParams["capabilities"],
): Promise<Client> {
  const client = new Client(project(files));
  clients.push(client);
  return client.start(capabilities);
}

/** A text with its cursor taken out. */
export function marked(text: string): { readonly before: string; readonly whole: string } {
  const at = text.indexOf(CURSOR);
  if (at === -1) throw new Error(`no ${CURSOR} in the text`);
  const before = text.slice(0, at);
  return { before, whole: before + text.slice(at + CURSOR.length) };
}

export function positionOf(before: string): Position {
  const lines = before.split("\n");
  return { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 };
}

/** The part of a text that a range covers. */
export function textAt(text: string, { start, end }: Range): string {
  return text.slice(offsetOf(text, start), offsetOf(text, end));
}

function offsetOf(text: string, { line, character }: Position): number {
  const before = text.split("\n").slice(0, line);
  return before.reduce((sum, one) => sum + one.length + 1, 0) + character;
}

/** A text after edits that do not overlap. */
export function edited(text: string, edits: readonly TextEdit[]): string {
  const sorted = edits.toSorted(
    (a, b) => offsetOf(text, b.range.start) - offsetOf(text, a.range.start),
  );
  return sorted.reduce((changed, { range, newText }) => {
    const [start, end] = [offsetOf(text, range.start), offsetOf(text, range.end)];
    return changed.slice(0, start) + newText + changed.slice(end);
  }, text);
}
