import { LineMap } from "../foundation/text.js";
import type { Analysis } from "../semantics/analyze.js";
import { isYamlPath, type SourceDocument } from "../semantics/document.js";
import { LONGEST_FILE } from "../syntax/parse.js";
import type { FileNode } from "../syntax/tree.js";
import { lex, type Token } from "./tokens.js";
import { type PlacedToken, place } from "./walk.js";
import { placeTree } from "./yaml-tokens.js";

/** A document as the features see it; what not every feature needs is made when first asked for. */
export class AnalysedDocument {
  readonly lines: LineMap;
  #tokens: readonly Token[] | undefined;
  #placed: readonly PlacedToken[] | undefined;
  #ofTree: readonly PlacedToken[] | undefined;

  constructor(
    /** Absolute path, with slashes. */
    readonly path: string,
    readonly text: string,
    readonly analysis: Analysis,
  ) {
    this.lines = new LineMap(text);
  }

  get tree(): FileNode {
    return (this.analysis.documents[0] as SourceDocument).tree;
  }

  /** In the language's own form, and not so long that the parser refuses it. */
  get native(): boolean {
    return this.text.length <= LONGEST_FILE && !isYamlPath(this.path);
  }

  /** None where the text is not {@link native}. */
  get tokens(): readonly Token[] {
    this.#tokens ??= this.native ? lex(this.text) : [];
    return this.#tokens;
  }

  /** Every token with its role. */
  get placed(): readonly PlacedToken[] {
    this.#placed ??= place(this.tokens);
    return this.#placed;
  }

  /** Keys and scalars of the YAML form, which has tokens only where its tree could be read. */
  get #scalars(): readonly PlacedToken[] {
    this.#ofTree ??= isYamlPath(this.path) ? placeTree(this.tree) : [];
    return this.#ofTree;
  }

  /** The token that holds an offset, or ends there. */
  tokenAt(offset: number): PlacedToken | undefined {
    const tokens = this.native ? this.placed : this.#scalars;
    const found = tokens.filter(({ start, end }) => start <= offset && offset <= end);
    return found.find(({ kind }) => kind !== "symbol" && kind !== "comment") ?? found[0];
  }
}
