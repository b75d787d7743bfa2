import type { IToken } from "chevrotain";
import { NumberLiteral, OpenBracket, Text } from "./tokens.js";

/** An edit that mends a syntax error; offsets count from where the error begins. */
export interface Mend {
  readonly title: string;
  readonly safe: boolean;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Signs of other languages: `key: value`, and `;` after it. */
export function otherSeparator(before: string, found: string): Mend | undefined {
  if (found === ";") return { title: "Remove ;", safe: true, start: 0, end: 1, text: "" };
  if (found !== ":" || !/[A-Za-z_][\w-]*[ \t]*$/.test(before)) return undefined;
  const text = /[ \t]$/.test(before) ? "=" : " =";
  return { title: "Write =", safe: true, start: 0, end: 1, text };
}

/**
 * A `=` before a value, a comma before the next item of a list.
 *
 * @param gap between the token and the one before it
 */
export function missingSign(
  expected: string,
  { tokenType }: IToken,
  gap: number,
): Mend | undefined {
  const plain = tokenType === NumberLiteral || tokenType === Text;
  if (expected === "'='" && (plain || tokenType === OpenBracket))
    return { title: "Write =", safe: true, start: 0, end: 0, text: "= " };
  if (expected === "',' or ']'" && plain)
    return { title: "Write ,", safe: true, start: -gap, end: -gap, text: "," };
  return undefined;
}

/** A quote after the first word: where the string was to end is a guess. */
export function closingQuote(image: string): Mend | undefined {
  const word = /^"[^\s{}[\]=,"]+/.exec(image)?.[0];
  if (word === undefined || word.endsWith("\\")) return undefined;
  return { title: `Write ${word}"`, safe: false, start: word.length, end: word.length, text: '"' };
}

/** A backslash that was meant as one. */
export function escapedBackslash(sequence: string): Mend | undefined {
  if (sequence.startsWith("\\u")) return undefined;
  return { title: `Write \\${sequence}`, safe: false, start: 0, end: 0, text: "\\" };
}
