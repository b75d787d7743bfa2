import { Lexer } from "yaml";
import type { Comment, Comments } from "./comment.js";

/** Tokens of the YAML lexer that are no part of the text; the others are the text itself. */
const MARKS: readonly string[] = ["\u0002", "\u0018", "\u001f"];

/** Comments of a spec in YAML. */
export function commentsInYaml(text: string): Comments {
  const comments: Comment[] = [];
  let content: number | undefined;
  let at = 0;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.includes(token)) continue;
    const start = at;
    at += token.length;
    if (token.startsWith("#")) comments.push({ text: token, start, end: at });
    else if (token.trim() !== "" && token !== "\uFEFF") content ??= start;
  }
  return { comments, content: content ?? text.length };
}
