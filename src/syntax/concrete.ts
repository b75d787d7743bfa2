import type { CstElement, CstNode } from "chevrotain";
import { SPEC_PARSER } from "./parser.js";
import { Comment, NumberLiteral, SPEC_LEXER } from "./tokens.js";

/** A token or a comment, as written. */
export interface SourceToken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly kind: "comment" | "number" | "other";
}

/** What a text is made of, nothing left out but white space. */
export interface ConcreteSyntax {
  /** Tokens and comments in order. */
  readonly tokens: readonly SourceToken[];
  /** Where each statement begins: whatever stands by itself in the file or in a body. */
  readonly statements: ReadonlySet<number>;
}

/** Tokens and statements of a text without syntax errors. */
export function concreteSyntax(text: string): ConcreteSyntax {
  const { tokens, groups } = SPEC_LEXER.tokenize(text);
  SPEC_PARSER.input = tokens;
  const statements = new Set<number>();
  collectStatements(SPEC_PARSER.file(), statements);
  const all = [...tokens, ...(groups["comments"] ?? [])].map(
    ({ image, startOffset, tokenType }): SourceToken => ({
      text: image,
      start: startOffset,
      end: startOffset + image.length,
      kind: tokenType === Comment ? "comment" : tokenType === NumberLiteral ? "number" : "other",
    }),
  );
  return { tokens: all.sort((a, b) => a.start - b.start), statements };
}

/** Every rule that `file` and `body` call is a statement of its own, whatever it is called. */
function collectStatements(node: CstNode, found: Set<number>): void {
  const holds = node.name === "file" || node.name === "body";
  for (const children of Object.values(node.children)) {
    for (const child of children) {
      if (!("children" in child)) continue;
      if (holds) found.add(firstOffset(child));
      collectStatements(child, found);
    }
  }
}

/** Children of one name are in the order of the text. */
function firstOffset(element: CstElement): number {
  if (!("children" in element)) return element.startOffset;
  const firsts = Object.values(element.children).flatMap((children) => children.slice(0, 1));
  return Math.min(...firsts.map(firstOffset));
}
