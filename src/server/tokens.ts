import type { IToken } from "chevrotain";
import { SPEC_LEXER } from "../syntax/tokens.js";
import type { Span } from "../syntax/tree.js";

export type TokenKind = "name" | "number" | "string" | "rate" | "comment" | "symbol";

/** A token as the editor's features see it: also comments, and nothing of the parser's. */
export interface Token extends Span {
  readonly kind: TokenKind;
  readonly text: string;
  /** A string that misses its closing quote. */
  readonly open?: boolean;
  /** Nothing stands before it on its line. */
  readonly leads?: boolean;
}

const KINDS: Readonly<Record<string, TokenKind>> = {
  Name: "name",
  NumberLiteral: "number",
  Text: "string",
  UnterminatedText: "string",
  OtherQuotes: "string",
  Rate: "rate",
  Comment: "comment",
};

/** All tokens and comments of a text, in its order; characters that are no token are left out. */
export function lex(text: string): readonly Token[] {
  const { tokens, groups } = SPEC_LEXER.tokenize(text);
  const comments = (groups["comments"] ?? []).map(tokenOf);
  return withLeads(text, merge(tokens.map(tokenOf), comments));
}

function withLeads(text: string, tokens: readonly Token[]): readonly Token[] {
  let end = 0;
  return tokens.map((token) => {
    const leads = /[\r\n]/.test(text.slice(end, token.start));
    end = token.end;
    return leads ? { ...token, leads } : token;
  });
}

function tokenOf({ tokenType, image, startOffset: start }: IToken): Token {
  const end = start + image.length;
  const kind = KINDS[tokenType.name] ?? "symbol";
  const open = tokenType.name === "UnterminatedText";
  return { kind, text: image, start, end, ...(open ? { open } : {}) };
}

function merge(tokens: readonly Token[], comments: readonly Token[]): readonly Token[] {
  if (comments.length === 0) return tokens;
  return [...tokens, ...comments].sort((a, b) => a.start - b.start);
}
