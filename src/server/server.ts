import {
  type CancellationToken,
  type Connection,
  DidChangeWatchedFilesNotification,
  DocumentFormattingRequest,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  ResponseError,
  type TextDocumentPositionParams,
  TextDocumentSyncKind,
} from "vscode-languageserver";
import type { Host } from "../host/host.js";
import { BackgroundLint } from "./background-lint.js";
import { CODE_ACTION_KINDS, codeActions } from "./code-actions.js";
import { complete } from "./completion.js";
import { definitionAt, nameAt } from "./definition.js";
import type { Addresses } from "./diagnostics.js";
import type { AnalysedDocument } from "./document.js";
import { documentSymbols } from "./document-symbols.js";
import { foldingRanges } from "./folding.js";
import { formatEdits } from "./formatting.js";
import { hoverAt, withMore } from "./hover.js";
import { PlanHovers } from "./plan-hovers.js";
import { lspRange, offsetOf } from "./positions.js";
import { Publisher } from "./publisher.js";
import { usesIn } from "./references.js";
import { Refresher } from "./refresh.js";
import { rename } from "./rename.js";
import { LEGEND, semanticTokens } from "./semantic-tokens.js";
import { Workspace } from "./workspace.js";

export interface ServerOptions {
  readonly skrullVersion: string;
}

const WATCHED = "**/{*.skrull,*.skrull.yaml,*.skrull.yml,*.skrull.json,skrull.config.yaml}";

/** What is formatted. An editor that knew of no difference would ask which of two formatters is for YAML. */
const NATIVE = [{ language: "skrull" }, { pattern: "**/*.skrull" }];

/** Answers an editor over a connection. Features are pure functions; here they meet the protocol. */
export function serve(connection: Connection, host: Host, options: ServerOptions): void {
  const workspace = new Workspace(host);
  const plans = new PlanHovers(host, options.skrullVersion);
  let client: InitializeParams["capabilities"] = {};
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
    return initializeResult(options.skrullVersion, !registersFormatting());
  });
  const watches = () => client.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
  const registersFormatting = () => client.textDocument?.formatting?.dynamicRegistration === true;
  connection.onInitialized(() => {
    const watchers = [{ globPattern: WATCHED }];
    if (watches())
      void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
    if (registersFormatting())
      void connection.client.register(DocumentFormattingRequest.type, { documentSelector: NATIVE });
  });

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
  workspace.documents.onDidSave(() => refresh(watches() ? [] : workspace.touchAll()));
  connection.onDidChangeWatchedFiles(({ changes }) =>
    refresh(workspace.touchSaved(changes.map(({ uri }) => uri))),
  );

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
    // Without an answer the editor folds by indentation.
    whole(textDocument.uri, (document) => (document.native ? [...foldingRanges(document)] : null)),
  );
  connection.onCodeAction(({ textDocument: { uri }, range, context }) =>
    whole(uri, (document) => {
      const diagnostics = publisher.diagnosticsOf(uri);
      const scope = { uri, addresses, range, only: context.only, diagnostics };
      return [...codeActions(document, scope)];
    }),
  );
  connection.onDefinition((params) =>
    at(params, (document, offset) => {
      const place = definitionAt(document, offset);
      return place ? workspace.location(place) : null;
    }),
  );
  connection.onReferences((params) =>
    at(params, (document, offset) => {
      const symbol = nameAt(document, offset)?.symbol;
      if (!symbol) return null;
      const project = workspace.project(params.textDocument.uri, [symbol.name]);
      const uses = usesIn(symbol, project);
      const declared = params.context.includeDeclaration ? [symbol.definition] : [];
      return [...declared, ...uses].map((place) => workspace.location(place));
    }),
  );
  connection.onPrepareRename((params) =>
    at(params, (document, offset) => {
      const found = nameAt(document, offset);
      return found ? { range: lspRange(found.place.range), placeholder: found.symbol.name } : null;
    }),
  );
  connection.onRenameRequest((params) =>
    at(params, (document, offset) => {
      const symbol = nameAt(document, offset)?.symbol;
      if (!symbol) return null;
      const words = [symbol.name, params.newName];
      const project = workspace.project(params.textDocument.uri, words);
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
