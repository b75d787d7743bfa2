import { LineMap } from "../foundation/text.js";
import type { Analysis } from "../semantics/analyze.js";
import { parseSpec } from "../syntax/parse.js";
import type { FileNode } from "../syntax/tree.js";
import { lex, type Token } from "./tokens.js";
import { type PlacedToken, place } from "./walk.js";

/** Longer texts are refused by the parser, so the features have nothing to say about them either. */
const LONGEST = 256 * 1024;

/** A document as the features see it; what not every feature needs is made when first asked for. */
export class AnalysedDocument {
  readonly lines: LineMap;
  #tree: FileNode | undefined;
  #tokens: readonly Token[] | undefined;
  #placed: readonly PlacedToken[] | undefined;

  constructor(
    /** Absolute path, with slashes. */
    readonly path: string,
    readonly text: string,
    readonly analysis: Analysis,
  ) {
    this.lines = new LineMap(text);
  }

  get tree(): FileNode {
    this.#tree ??= parseSpec(this.path, this.text).tree;
    return this.#tree;
  }

  get tokens(): readonly Token[] {
    this.#tokens ??= this.text.length > LONGEST ? [] : lex(this.text);
    return this.#tokens;
  }

  /** Every token with its role. */
  get placed(): readonly PlacedToken[] {
    this.#placed ??= place(this.tokens);
    return this.#placed;
  }

  /** The token that holds an offset, or ends there. */
  tokenAt(offset: number): PlacedToken | undefined {
    const found = this.placed.filter(({ start, end }) => start <= offset && offset <= end);
    return found.find(({ kind }) => kind !== "symbol" && kind !== "comment") ?? found[0];
  }
}
