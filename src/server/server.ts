import {
  type CancellationToken,
  type Connection,
  DidChangeWatchedFilesNotification,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  ResponseError,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import type { Host } from "../host/host.js";
import { CODE_ACTION_KINDS, codeActions } from "./code-actions.js";
import { complete } from "./completion.js";
import { definitionAt, placeAt, symbolAt } from "./definition.js";
import { lspDiagnostic } from "./diagnostics.js";
import type { AnalysedDocument } from "./document.js";
import { documentSymbols } from "./document-symbols.js";
import { foldingRanges } from "./folding.js";
import { formatEdits } from "./formatting.js";
import { hoverAt, withMore } from "./hover.js";
import { PlanHovers } from "./plan-hovers.js";
import { lspRange, offsetOf } from "./positions.js";
import { usesIn } from "./references.js";
import { Refresher } from "./refresh.js";
import { rename } from "./rename.js";
import { LEGEND, semanticTokens } from "./semantic-tokens.js";
import { Workspace } from "./workspace.js";

export interface ServerOptions {
  readonly skrullVersion: string;
}

/** Answers an editor over a connection. Features are pure functions; here they meet the protocol. */
export function serve(connection: Connection, host: Host, options: ServerOptions): void {
  const workspace = new Workspace(host);
  const plans = new PlanHovers(host, options.skrullVersion);
  const refresher = new Refresher(host, (uri) => publish(connection, workspace, uri));
  let client: InitializeParams["capabilities"] = {};

  connection.onInitialize(({ capabilities }) => {
    client = capabilities;
    return initializeResult(options.skrullVersion);
  });
  connection.onInitialized(() => {
    if (client.workspace?.didChangeWatchedFiles?.dynamicRegistration !== true) return;
    const watchers = [{ globPattern: "**/*.{skrull,skrull.yaml,skrull.json}" }];
    void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
  });

  workspace.documents.onDidChangeContent(({ document }) => {
    plans.cancel(document.uri);
    refresher.add(workspace.touch(document.uri));
  });
  workspace.documents.onDidClose(({ document }) => {
    plans.cancel(document.uri);
    refresher.forget(document.uri);
    refresher.add(workspace.touch(document.uri));
    void connection.sendDiagnostics({ uri: document.uri, diagnostics: [] });
  });
  connection.onDidChangeWatchedFiles(() => refresher.add(workspace.touchAll()));

  const at = <Result>(
    { textDocument, position }: TextDocumentPositionParams,
    feature: (document: AnalysedDocument, offset: number) => Result,
  ): Result | null => {
    const document = workspace.analysed(textDocument.uri);
    return document ? feature(document, offsetOf(document.lines, position)) : null;
  };
  const whole = <Result>(uri: string, feature: (document: AnalysedDocument) => Result) => {
    const document = workspace.analysed(uri);
    return document ? feature(document) : null;
  };
  const uriOf = (file: string) => workspace.uriOf(file);

  connection.onHover((params, cancelled: CancellationToken) =>
    at(params, async (document, offset) => {
      const found = hoverAt(document, offset);
      if (!found?.wants) return found?.hover ?? null;
      const more = await plans.text(params.textDocument.uri, document, found.wants, cancelled);
      return more === undefined ? found.hover : withMore(found, more);
    }),
  );
  connection.onCompletion((params) =>
    at(params, (document, offset) => [
      ...complete(document, offset, {
        snippets: client.textDocument?.completion?.completionItem?.snippetSupport === true,
        list: (folder) => workspace.list(folder),
      }),
    ]),
  );
  connection.onDocumentSymbol(({ textDocument }) =>
    whole(textDocument.uri, (document) => [...documentSymbols(document)]),
  );
  connection.onFoldingRanges(({ textDocument }) =>
    whole(textDocument.uri, (document) => [...foldingRanges(document)]),
  );
  connection.onCodeAction(({ textDocument: { uri }, range, context }) =>
    whole(uri, (document) => [...codeActions(document, { uri, uriOf, range, only: context.only })]),
  );
  connection.onDefinition((params) =>
    at(params, (document, offset) => {
      const place = definitionAt(document, offset);
      return place ? workspace.location(place) : null;
    }),
  );
  connection.onReferences((params) =>
    at(params, (document, offset) => {
      const symbol = symbolAt(document, offset);
      if (!symbol) return null;
      const uses = usesIn(symbol, workspace.project(params.textDocument.uri));
      const declared = params.context.includeDeclaration ? [symbol.definition] : [];
      return [...declared, ...uses].map((place) => workspace.location(place));
    }),
  );
  connection.onPrepareRename((params) =>
    at(params, (document, offset) => {
      const symbol = symbolAt(document, offset);
      const place = symbol && placeAt(document, symbol, offset);
      return place ? { range: lspRange(place.range), placeholder: symbol.name } : null;
    }),
  );
  connection.onRenameRequest((params) =>
    at(params, (document, offset) => {
      const symbol = symbolAt(document, offset);
      if (!symbol) return null;
      const project = workspace.project(params.textDocument.uri);
      const renaming = rename(symbol, params.newName, project);
      if (!renaming.ok) throw new ResponseError(LSPErrorCodes.RequestFailed, renaming.problem);
      return { changes: workspace.edits(renaming.places, params.newName) };
    }),
  );
  connection.onDocumentFormatting(({ textDocument }) =>
    whole(textDocument.uri, (document) => [...formatEdits(document)]),
  );
  connection.languages.semanticTokens.on(
    ({ textDocument }) => whole(textDocument.uri, semanticTokens) ?? { data: [] },
  );

  workspace.documents.listen(connection);
  connection.listen();
}

function publish(connection: Connection, workspace: Workspace, uri: string): void {
  const document = workspace.analysed(uri);
  const version = workspace.documents.get(uri)?.version;
  if (!document || version === undefined) return;
  const { diagnostics, file } = document.analysis;
  const own = diagnostics.filter((found) => found.file === file);
  const shown = own.map((found) => lspDiagnostic(found, (path) => workspace.uriOf(path)));
  void connection.sendDiagnostics({ uri, version, diagnostics: shown });
}

function initializeResult(version: string): InitializeResult {
  return {
    serverInfo: { name: "skrull", version },
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
      hoverProvider: true,
      completionProvider: { triggerCharacters: ['"', "/", "=", "["] },
      documentSymbolProvider: true,
      foldingRangeProvider: true,
      definitionProvider: true,
      referencesProvider: true,
      renameProvider: { prepareProvider: true },
      documentFormattingProvider: true,
      codeActionProvider: { codeActionKinds: CODE_ACTION_KINDS },
      semanticTokensProvider: { legend: LEGEND, full: true },
    },
  };
}
