import { SPEC_LEXER } from "../syntax/tokens.js";

export interface Comment {
  /** With its mark. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Comments {
  readonly comments: readonly Comment[];
  /** Where the first thing that is neither a comment nor the language's version begins. */
  readonly content: number;
}

export const NO_COMMENTS: Comments = { comments: [], content: 0 };

/** Comments of a spec. */
export function commentsInSpec(text: string): Comments {
  const { tokens, groups } = SPEC_LEXER.tokenize(text);
  const comments = (groups["comments"] ?? []).map(({ image, startOffset }) => ({
    text: image,
    start: startOffset,
    end: startOffset + image.length,
  }));
  return { comments, content: tokens[2]?.startOffset ?? text.length };
}
