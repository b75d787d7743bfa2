import { type DocumentSymbol, SymbolKind } from "vscode-languageserver";
import type {
  BlockNode,
  BodyNode,
  ConstantNode,
  EntryNode,
  ImportNode,
  Span,
} from "../syntax/tree.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";

const LONGEST_DETAIL = 60;

/** The outline: imports, constants, blocks and runs with what they hold. */
export function documentSymbols(document: AnalysedDocument): readonly DocumentSymbol[] {
  return members(document.tree, document);
}

function members(body: BodyNode, document: AnalysedDocument): DocumentSymbol[] {
  return [
    ...body.imports.map((node) => importSymbol(node, document)),
    ...body.constants.map((node) => constantSymbol(node, document)),
    ...body.blocks.map((node) => blockSymbol(node, document)),
    ...body.entries.map((node) => entrySymbol(node, document)),
  ].sort(byPlace);
}

function byPlace({ range: a }: DocumentSymbol, { range: b }: DocumentSymbol): number {
  return a.start.line - b.start.line || a.start.character - b.start.character;
}

function importSymbol(node: ImportNode, document: AnalysedDocument): DocumentSymbol {
  const { path } = node;
  // The protocol wants no empty name.
  const name = path.value === "" ? '""' : path.value;
  return { name, detail: "import", kind: SymbolKind.File, ...ranges(document, node, path) };
}

function constantSymbol(node: ConstantNode, document: AnalysedDocument): DocumentSymbol {
  return {
    name: node.name.text,
    kind: SymbolKind.Constant,
    ...detailOf(node.value, document),
    ...ranges(document, node, node.name),
  };
}

function blockSymbol(node: BlockNode, document: AnalysedDocument): DocumentSymbol {
  const { name, given, label, base, body } = node;
  const details = [...(label ? [label.value] : []), ...(base ? [`extends ${base.text}`] : [])].join(
    " ",
  );
  return {
    name: given ? `${name.text} ${given.text}` : name.text,
    kind: given ? SymbolKind.Class : SymbolKind.Namespace,
    ...(details === "" ? {} : { detail: details }),
    ...ranges(document, node, given ?? name),
    children: members(body, document),
  };
}

function entrySymbol(node: EntryNode, document: AnalysedDocument): DocumentSymbol {
  const { key, value } = node;
  const inside = value?.kind === "tagged" ? members(value.body, document) : [];
  return {
    name: key.text,
    kind: SymbolKind.Property,
    ...detailOf(value?.kind === "tagged" ? value.tag : value, document),
    ...ranges(document, node, key),
    ...(inside.length > 0 ? { children: inside } : {}),
  };
}

function detailOf(value: Span | undefined, { text }: AnalysedDocument): { detail?: string } {
  if (!value) return {};
  const end = Math.min(value.end, value.start + LONGEST_DETAIL);
  return { detail: text.slice(value.start, end).replaceAll(/\s+/g, " ") };
}

/** The protocol wants the name inside of the whole, which recovery does not promise. */
function ranges({ lines }: AnalysedDocument, whole: Span, name: Span) {
  const span = { start: Math.min(whole.start, name.start), end: Math.max(whole.end, name.end) };
  return { range: spanRange(lines, span), selectionRange: spanRange(lines, name) };
}
