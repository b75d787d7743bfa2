import type { Place } from "../diagnostics/diagnostic.js";
import type { AnalysedDocument } from "./document.js";
import { type SymbolUse, symbolsOf } from "./symbols.js";

/**
 * Every use of a name in a project: each file knows its own uses and those in what it imports.
 *
 * @param project every spec of the project, analysed
 */
export function usesIn(symbol: SymbolUse, project: Iterable<AnalysedDocument>): readonly Place[] {
  const found = new Map<string, Place>();
  for (const document of project) {
    const same = symbolsOf(document).find((other) => isSame(other, symbol));
    for (const use of same?.uses ?? []) found.set(keyOf(use), use);
  }
  return [...found.values()].sort(byPlace);
}

/** Whether two files speak of one declaration. */
export const isSame = (a: SymbolUse, b: SymbolUse): boolean =>
  a.kind === b.kind && a.name === b.name && keyOf(a.definition) === keyOf(b.definition);

const keyOf = ({ file, range: { start } }: Place): string =>
  `${file}:${start.line}:${start.column}`;

const byPlace = (a: Place, b: Place): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
  a.range.start.line - b.range.start.line ||
  a.range.start.column - b.range.start.column;
