import { type DocumentSymbol, SymbolKind } from "vscode-languageserver";
import type { BlockNode, EntryNode, Span } from "../syntax/tree.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";

/** The outline: blocks with their keys. */
export function documentSymbols(document: AnalysedDocument): readonly DocumentSymbol[] {
  const { tree } = document;
  return [
    ...tree.blocks.map((block) => blockSymbol(block, document)),
    ...tree.entries.map((entry) => entrySymbol(entry, document)),
  ].sort(byPlace);
}

function byPlace({ range: a }: DocumentSymbol, { range: b }: DocumentSymbol): number {
  return a.start.line - b.start.line || a.start.character - b.start.character;
}

function blockSymbol(block: BlockNode, document: AnalysedDocument): DocumentSymbol {
  const { name, label, body } = block;
  const inside = [
    ...body.entries.map((entry) => entrySymbol(entry, document)),
    ...body.blocks.map((one) => blockSymbol(one, document)),
  ].sort(byPlace);
  return {
    name: name.text,
    kind: SymbolKind.Namespace,
    ...ranges(document, block, name),
    ...(label ? { detail: label.value } : {}),
    children: inside,
  };
}

function entrySymbol(entry: EntryNode, document: AnalysedDocument): DocumentSymbol {
  const { key, value } = entry;
  const body = value?.kind === "tagged" ? value.body.entries : [];
  const end = value?.kind === "tagged" ? value.tag.end : value?.end;
  const detail = value
    ? document.text.slice(value.start, Math.min(end ?? 0, value.start + 60))
    : "";
  return {
    name: key.text,
    kind: SymbolKind.Property,
    ...ranges(document, entry, key),
    ...(detail === "" ? {} : { detail: detail.replaceAll(/\s+/g, " ") }),
    ...(body.length > 0 ? { children: body.map((one) => entrySymbol(one, document)) } : {}),
  };
}

/** The protocol wants the name inside of the whole, which recovery does not promise. */
function ranges({ lines }: AnalysedDocument, whole: Span, name: Span) {
  const span = { start: Math.min(whole.start, name.start), end: Math.max(whole.end, name.end) };
  return { range: spanRange(lines, span), selectionRange: spanRange(lines, name) };
}
