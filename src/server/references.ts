import type { Place } from "../diagnostics/diagnostic.js";
import type { Range } from "../foundation/text.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { AnalysedDocument } from "./document.js";
import { placesOf } from "./names.js";

/**
 * Every use of a name in a project, without its declaration.
 *
 * @param project every spec of the project, analysed
 */
export function usesIn(symbol: SymbolUse, project: Iterable<AnalysedDocument>): readonly Place[] {
  const found = new Map<string, Place>();
  for (const document of project) {
    if (!document.analysis.symbols.some((other) => isSame(other, symbol))) continue;
    for (const place of placesOf(symbol, document)) found.set(keyOf(place), place);
  }
  const { file, range } = symbol.definition;
  for (const [key, place] of found)
    if (place.file === file && within(place.range, range)) found.delete(key);
  return [...found.values()].sort(byPlace);
}

/** Whether two files speak of one declaration. */
export const isSame = (a: SymbolUse, b: SymbolUse): boolean =>
  a.kind === b.kind && a.name === b.name && keyOf(a.definition) === keyOf(b.definition);

const within = (inner: Range, outer: Range): boolean =>
  inner.start.line === outer.start.line &&
  inner.start.column >= outer.start.column &&
  inner.end.line === outer.end.line &&
  inner.end.column <= outer.end.column;

const keyOf = ({ file, range: { start } }: Place): string =>
  `${file}:${start.line}:${start.column}`;

const byPlace = (a: Place, b: Place): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
  a.range.start.line - b.range.start.line ||
  a.range.start.column - b.range.start.column;
