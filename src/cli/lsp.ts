import { createConnection } from "vscode-languageserver/node";
import type { Host } from "../host/host.js";
import { serve } from "../server/server.js";

/** `skrull lsp`: the language server on the process's streams; it ends with them. */
export function lspCommand(
  host: Host,
  streams: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
  options: { readonly skrullVersion: string },
): void {
  serve(createConnection(streams.input, streams.output), host, options);
}
