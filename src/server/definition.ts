import { dirname, join } from "pathe";
import type { Place } from "../diagnostics/diagnostic.js";
import { FILE_START } from "../foundation/text.js";
import type { SymbolUse } from "../semantics/symbols.js";
import type { AnalysedDocument } from "./document.js";
import { nameOf, namesInside, placeOf, sameName } from "./names.js";

/** A declared name, and the place of it that was asked about. */
export interface Named {
  readonly symbol: SymbolUse;
  readonly place: Place;
}

/** The name at an offset, where it is declared. */
export function nameAt(document: AnalysedDocument, offset: number): Named | undefined {
  const { symbols } = document.analysis;
  const token = document.tokenAt(offset);
  const name = token && nameOf(token);
  const symbol = name && symbols.find((one) => sameName(one, name));
  if (token && symbol) return { symbol, place: placeOf(token, document) };
  // In YAML only the analysis knows what is a name.
  for (const one of symbols) {
    const place = [one.definition, ...one.uses]
      .flatMap((seen) => namesInside(seen, one.name, document))
      .find(
        ({ file, range }) =>
          file === document.path &&
          document.lines.offset(range.start) <= offset &&
          offset <= document.lines.offset(range.end),
      );
    if (place) return { symbol: one, place };
  }
  return undefined;
}

/** Where the name at an offset is declared; on an import, the start of the file. */
export function definitionAt(document: AnalysedDocument, offset: number): Place | undefined {
  const written = importAt(document, offset);
  if (written !== undefined)
    return { file: join(dirname(document.path), written), range: FILE_START };
  return nameAt(document, offset)?.symbol.definition;
}

/** The path of the import at an offset. */
export function importAt({ tree }: AnalysedDocument, offset: number): string | undefined {
  const holding = tree.imports.find(({ path }) => path.start <= offset && offset <= path.end);
  return holding?.path.value;
}
