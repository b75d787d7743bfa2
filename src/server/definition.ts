import { dirname, join } from "pathe";
import type { Place } from "../diagnostics/diagnostic.js";
import type { AnalysedDocument } from "./document.js";
import { type SymbolUse, symbolsOf } from "./symbols.js";

const START = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };

/** The name at an offset, with where it is declared and used. */
export function symbolAt(document: AnalysedDocument, offset: number): SymbolUse | undefined {
  const here = (place: Place) => place.file === document.path && holds(document, place, offset);
  return symbolsOf(document).find(
    ({ definition, uses }) => here(definition) || uses.some((use) => here(use)),
  );
}

/** The place of a name's use, or of its declaration, at an offset. */
export function placeAt(
  document: AnalysedDocument,
  { definition, uses }: SymbolUse,
  offset: number,
): Place | undefined {
  return [definition, ...uses].find(
    (place) => place.file === document.path && holds(document, place, offset),
  );
}

function holds({ lines }: AnalysedDocument, { range }: Place, offset: number): boolean {
  return lines.offset(range.start) <= offset && offset <= lines.offset(range.end);
}

/** Where the name at an offset is declared; on an import, the start of the file. */
export function definitionAt(document: AnalysedDocument, offset: number): Place | undefined {
  const token = document.tokenAt(offset);
  if (token?.role === "import-path") {
    const written = token.text.slice(1, token.open ? undefined : -1);
    return { file: join(dirname(document.path), written), range: START };
  }
  return symbolAt(document, offset)?.definition;
}
