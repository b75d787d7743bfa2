import type { Place } from "../diagnostics/diagnostic.js";

export type SymbolKind = "block" | "constant" | "run";

/** A name that the files of a project declare, and everywhere that it is used. */
export interface SymbolUse {
  readonly kind: SymbolKind;
  /** Of a named block: which block of the language it is. */
  readonly block?: string;
  readonly name: string;
  readonly definition: Place;
  readonly uses: readonly Place[];
}

interface Entry extends SymbolUse {
  readonly uses: Place[];
}

/** Collects definitions and uses while a spec is checked: each place once, also where several runs pass it. */
export class Symbols {
  readonly #entries = new Map<string, Entry>();
  readonly #seen = new Set<string>();

  define(kind: SymbolKind, block: string | undefined, name: string, definition: Place): void {
    const key = keyOf(kind, block, name);
    if (this.#entries.has(key)) return;
    const entry = { kind, name, definition, uses: [], ...(block === undefined ? {} : { block }) };
    this.#entries.set(key, entry);
  }

  use(kind: SymbolKind, block: string | undefined, name: string, place: Place): void {
    const { line, column } = place.range.start;
    const key = keyOf(kind, block, name);
    // A calculation in YAML is one place of all its names.
    const at = `${key} ${place.file} ${line}:${column}`;
    if (this.#seen.has(at)) return;
    this.#seen.add(at);
    this.#entries.get(key)?.uses.push(place);
  }

  all(): readonly SymbolUse[] {
    return [...this.#entries.values()];
  }
}

const keyOf = (kind: SymbolKind, block: string | undefined, name: string): string =>
  `${kind} ${block ?? ""} ${name}`;
