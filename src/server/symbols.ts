import type { Place } from "../diagnostics/diagnostic.js";
import type { AnalysedDocument } from "./document.js";

/** A name that a spec defines, and everywhere it is used. */
export interface SymbolUse {
  readonly kind: "block" | "constant" | "run";
  /** Of a named block: which of the language's. */
  readonly block?: string;
  readonly name: string;
  readonly definition: Place;
  readonly uses: readonly Place[];
}

/** Names of a document and of what it imports. */
export function symbolsOf({ analysis }: AnalysedDocument): readonly SymbolUse[] {
  return (analysis as { symbols?: readonly SymbolUse[] }).symbols ?? [];
}
