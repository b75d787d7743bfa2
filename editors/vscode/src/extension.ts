import { commands, type ExtensionContext, window, workspace } from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
  TransportKind,
} from "vscode-languageclient/node";
import { findServer, type Server } from "./find-server.js";

let client: LanguageClient | undefined;

/** Called by the editor when the first spec is opened. */
export async function activate(context: ExtensionContext): Promise<void> {
  const restart = async () => {
    await deactivate();
    await start();
  };
  context.subscriptions.push(
    commands.registerCommand("skrull.restartServer", restart),
    workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("skrull.server")) await restart();
    }),
  );
  await start();
}

/** Called by the editor when it closes. */
export async function deactivate(): Promise<void> {
  const running = client;
  client = undefined;
  try {
    await running?.stop();
  } catch {
    // A server that does not answer has been ended all the same, and a new one may start.
  }
}

async function start(): Promise<void> {
  const setting = workspace.getConfiguration("skrull").get<string>("server.path", "");
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const server = findServer(setting, folders);
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "skrull" },
      { scheme: "untitled", language: "skrull" },
      { scheme: "file", pattern: "**/*.skrull.{yaml,yml,json}" },
    ],
  };
  client = new LanguageClient("skrull", "Skrull", optionsOf(server, folders[0]), options);
  try {
    await client.start();
  } catch {
    client = undefined;
    const name = "command" in server ? server.command : server.module;
    void window.showErrorMessage(
      `The skrull compiler could not be started (${name}). Add it to the workspace with 'npm install skrull', or set skrull.server.path.`,
    );
  }
}

function optionsOf(server: Server, folder: string | undefined): ServerOptions {
  const options = folder === undefined ? {} : { cwd: folder };
  const args = ["lsp"];
  return "command" in server
    ? { command: server.command, args, options: { ...options, shell: server.shell === true } }
    : { module: server.module, args, options, transport: TransportKind.stdio };
}
