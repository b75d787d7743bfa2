import {
  type Connection,
  DidChangeWatchedFilesNotification,
  DocumentFormattingRequest,
  type InitializeParams,
  type InitializeResult,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import type { Host } from "../host/host.js";
import { BackgroundLint } from "./background-lint.js";
import { CODE_ACTION_KINDS } from "./code-actions.js";
import type { Addresses } from "./diagnostics.js";
import { answerRequests } from "./features.js";
import { PlanHovers } from "./plan-hovers.js";
import { Publisher } from "./publisher.js";
import { Refresher } from "./refresh.js";
import { LEGEND } from "./semantic-tokens.js";
import { Workspace } from "./workspace.js";

export interface ServerOptions {
  readonly skrullVersion: string;
}

const WATCHED = "**/{*.skrull,*.skrull.yaml,*.skrull.yml,*.skrull.json,skrull.config.yaml}";

/** What is formatted. An editor that knew of no difference would ask which of two formatters is for YAML. */
const NATIVE = [{ language: "skrull" }, { pattern: "**/*.skrull" }];

/** Answers an editor over a connection: keeps its documents, their findings, and answers its requests. */
export function serve(connection: Connection, host: Host, options: ServerOptions): void {
  const workspace = new Workspace(host);
  const plans = new PlanHovers(host, options.skrullVersion);
  let client: Capabilities = {};
  const addresses: Addresses = {
    uriOf: (file) => workspace.uriOf(file),
    pageOf: (code) =>
      client.textDocument?.publishDiagnostics?.codeDescriptionSupport === true
        ? workspace.pageOf(code)
        : undefined,
  };
  const publisher = new Publisher(connection, workspace, addresses);
  const lint = new BackgroundLint(
    host,
    (uri, document, found) => publisher.showLinted(uri, document, found),
    (error) => connection.console.error(`lint failed: ${stackOf(error)}`),
  );
  const refresher = new Refresher(host, (uris) => {
    try {
      publisher.show(uris);
      for (const uri of uris) {
        const document = workspace.analysed(uri);
        if (document) lint.start(uri, document);
      }
    } catch (error) {
      // A fault of ours in one text must not take the editor's help away from all the others.
      connection.console.error(`internal error: ${stackOf(error)}`);
    }
  });

  connection.onInitialize(({ capabilities }) => {
    client = capabilities;
    return initializeResult(options.skrullVersion, !registersFormatting(client));
  });
  connection.onInitialized(() => register(connection, client));

  const refresh = (uris: readonly string[]) => {
    for (const uri of uris) {
      plans.cancel(uri);
      lint.cancel(uri);
    }
    refresher.add(uris);
  };
  workspace.documents.onDidChangeContent(({ document }) => refresh(workspace.touch(document.uri)));
  workspace.documents.onDidClose(({ document: { uri } }) => {
    plans.cancel(uri);
    lint.cancel(uri);
    refresher.forget(uri);
    publisher.close(uri);
    refresh(workspace.touch(uri));
  });
  // Who watches files tells of this one too; for the others it is the time to look at all of them.
  workspace.documents.onDidSave(() => refresh(watches(client) ? [] : workspace.touchAll()));
  connection.onDidChangeWatchedFiles(({ changes }) =>
    refresh(workspace.touchSaved(changes.map(({ uri }) => uri))),
  );

  answerRequests({ connection, workspace, publisher, plans, addresses, client: () => client });
  workspace.documents.listen(connection);
  connection.listen();
}

type Capabilities = InitializeParams["capabilities"];

const watches = ({ workspace }: Capabilities): boolean =>
  workspace?.didChangeWatchedFiles?.dynamicRegistration === true;

const registersFormatting = ({ textDocument }: Capabilities): boolean =>
  textDocument?.formatting?.dynamicRegistration === true;

function register({ client: editor }: Connection, client: Capabilities): void {
  const watchers = [{ globPattern: WATCHED }];
  if (watches(client)) void editor.register(DidChangeWatchedFilesNotification.type, { watchers });
  if (registersFormatting(client))
    void editor.register(DocumentFormattingRequest.type, { documentSelector: NATIVE });
}

const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

function initializeResult(version: string, formats: boolean): InitializeResult {
  return {
    serverInfo: { name: "skrull", version },
    capabilities: {
      textDocumentSync: {
        openClose: true,
        change: TextDocumentSyncKind.Incremental,
        save: true,
      },
      hoverProvider: true,
      completionProvider: { triggerCharacters: ['"', "/", "=", "["] },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      renameProvider: { prepareProvider: true },
      ...(formats ? { documentFormattingProvider: true } : {}),
      codeActionProvider: { codeActionKinds: CODE_ACTION_KINDS },
      semanticTokensProvider: { legend: LEGEND, full: true },
    },
  };
}
