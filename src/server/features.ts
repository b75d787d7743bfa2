import {
  type CancellationToken,
  type Connection,
  type InitializeParams,
  LSPErrorCodes,
  ResponseError,
  type TextDocumentPositionParams,
} from "vscode-languageserver";
import { codeActions } from "./code-actions.js";
import { complete } from "./completion.js";
import { definitionAt, nameAt } from "./definition.js";
import type { Addresses } from "./diagnostics.js";
import type { AnalysedDocument } from "./document.js";
import { documentSymbols } from "./document-symbols.js";
import { foldingRanges } from "./folding.js";
import { formatEdits } from "./formatting.js";
import { hoverAt, withMore } from "./hover.js";
import type { PlanHovers } from "./plan-hovers.js";
import { lspRange, offsetOf } from "./positions.js";
import type { Publisher } from "./publisher.js";
import { usesIn } from "./references.js";
import { rename } from "./rename.js";
import { semanticTokens } from "./semantic-tokens.js";
import type { Workspace } from "./workspace.js";

/** What features need of a server. */
export interface Session {
  readonly connection: Connection;
  readonly workspace: Workspace;
  readonly publisher: Publisher;
  readonly plans: PlanHovers;
  readonly addresses: Addresses;
  /** What the editor can do. */
  readonly client: () => InitializeParams["capabilities"];
}

/** Features are pure functions of a document; here they meet the protocol. */
export function answerRequests(session: Session): void {
  answerReading(session);
  answerNames(session);
  answerActions(session);
}

/** What is shown of a document, and of a place in it. */
function answerReading({ connection, workspace, plans, client }: Session): void {
  const { at, whole } = documents(workspace);
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
        snippets: client().textDocument?.completion?.completionItem?.snippetSupport === true,
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
  connection.onDocumentFormatting(({ textDocument }) =>
    whole(textDocument.uri, (document) => [...formatEdits(document)]),
  );
  connection.languages.semanticTokens.on(
    ({ textDocument }) => whole(textDocument.uri, semanticTokens) ?? { data: [] },
  );
}

/** Where a name is declared and used. */
function answerNames({ connection, workspace }: Session): void {
  const { at } = documents(workspace);
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
}

function answerActions({ connection, workspace, publisher, addresses }: Session): void {
  const { whole } = documents(workspace);
  connection.onCodeAction(({ textDocument: { uri }, range, context }) =>
    whole(uri, (document) => {
      const diagnostics = publisher.diagnosticsOf(uri);
      const scope = { uri, addresses, range, only: context.only, diagnostics };
      return [...codeActions(document, scope)];
    }),
  );
}

/** Runs a feature on a document, and at an offset of it; null where the document is not open. */
function documents(workspace: Workspace) {
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
  return { at, whole };
}
