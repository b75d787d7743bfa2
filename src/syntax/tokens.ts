import { createToken, Lexer, type TokenType } from "chevrotain";
import { LIKE_A_NUMBER } from "./numbers.js";

export const Whitespace = createToken({
  name: "Whitespace",
  pattern: /[ \t\r\n\uFEFF]+/,
  group: Lexer.SKIPPED,
  line_breaks: true,
});
export const Comment = createToken({
  name: "Comment",
  pattern: /(?:#|\/\/)[^\r\n]*/,
  group: "comments",
  line_breaks: false,
});
/** A comment of other languages; its caller reports it. */
export const BlockComment = createToken({
  name: "BlockComment",
  pattern: /\/\*(?:(?!\*\/)[\s\S])*(?:\*\/)?/,
  group: "blockComments",
  line_breaks: true,
});
export const OpenBrace = createToken({ name: "OpenBrace", pattern: "{", label: "'{'" });
export const CloseBrace = createToken({ name: "CloseBrace", pattern: "}", label: "'}'" });
export const OpenBracket = createToken({ name: "OpenBracket", pattern: "[", label: "'['" });
export const CloseBracket = createToken({ name: "CloseBracket", pattern: "]", label: "']'" });
export const Equals = createToken({ name: "Equals", pattern: "=", label: "'='" });
export const Comma = createToken({ name: "Comma", pattern: ",", label: "','" });
export const OpenParen = createToken({ name: "OpenParen", pattern: "(", label: "'('" });
export const CloseParen = createToken({ name: "CloseParen", pattern: ")", label: "')'" });
export const Plus = createToken({ name: "Plus", pattern: "+", label: "'+'" });
export const Minus = createToken({ name: "Minus", pattern: "-", label: "'-'" });
export const Star = createToken({ name: "Star", pattern: "*", label: "'*'" });
export const Slash = createToken({ name: "Slash", pattern: "/", label: "'/'" });
export const Text = createToken({
  name: "Text",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/,
  label: "a string",
  line_breaks: false,
});
/** Kept apart so that the parser goes on after it; reported by the lexer's caller. */
export const UnterminatedText = createToken({
  name: "UnterminatedText",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*\\?/,
  label: "a string",
  categories: [Text],
  line_breaks: false,
});
/** Text as other languages quote it; kept apart in the same way. */
export const OtherQuotes = createToken({
  name: "OtherQuotes",
  pattern: /'[^'"\\\r\n]*'|[“”„][^“”„"\\\r\n]*[“”]/,
  label: "a string",
  categories: [Text],
  line_breaks: false,
});
/**
 * A path that lacks its quotes, kept apart in the same way: a name with a point, or a pattern with an ending, after any
 * folders. A name cannot go on with a point, and nothing can be multiplied by a letter's; the lengths are bounded so
 * that each is looked at in no time.
 */
export const BarePath = createToken({
  name: "BarePath",
  pattern:
    /(?:(?:(?:\.{1,2}|~)\/){1,8}|\/(?=\w))?(?![\d.])(?:[\w.*-]{1,64}\/){0,8}(?:[A-Za-z_][\w-]{0,99}(?:\.[\w-]+)+|[\w-]{0,99}[*?][\w*?-]{0,99}\.[A-Za-z]\w*)/,
  label: "a string",
  categories: [Text],
  line_breaks: false,
});
/** Its caller reports those that are no numbers. */
export const NumberLiteral = createToken({
  name: "NumberLiteral",
  pattern: LIKE_A_NUMBER,
  label: "a number",
  line_breaks: false,
});
/** A unit per second; everywhere else `/` divides. And `K tokens`, which is told as one. */
export const Rate = createToken({
  name: "Rate",
  pattern: /[A-Za-z]+\/s(?![\w-])|(?<=\d[ \t]*)[KkMm][ \t]+tokens?(?![\w-]|[ \t]*=)/,
  label: "a unit",
  line_breaks: false,
});
export const Name = createToken({
  name: "Name",
  pattern: /[A-Za-z_][\w-]*/,
  label: "a name",
  line_breaks: false,
});

export const TOKENS: readonly TokenType[] = [
  Whitespace,
  Comment,
  BlockComment,
  // Before the signs that it may begin with.
  BarePath,
  OpenBrace,
  CloseBrace,
  OpenBracket,
  CloseBracket,
  Equals,
  Comma,
  OpenParen,
  CloseParen,
  Plus,
  Minus,
  Star,
  Slash,
  Text,
  UnterminatedText,
  OtherQuotes,
  NumberLiteral,
  Rate,
  Name,
];

export const SPEC_LEXER = new Lexer([...TOKENS], {
  // A test checks the tokens; every start need not.
  skipValidations: true,
  positionTracking: "onlyStart",
  // With `line_breaks` told, no pattern has to be taken apart at the start. With so few tokens a table by first
  // character gains nothing.
  safeMode: true,
});
