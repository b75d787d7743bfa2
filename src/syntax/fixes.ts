import type { IToken } from "chevrotain";
import { Minus, NumberLiteral, OpenBracket, Plus, Text } from "./tokens.js";

/** An edit that fixes a syntax error; offsets count from where the error begins. */
export interface SyntaxFix {
  readonly title: string;
  readonly safe: boolean;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** In words; else its title says enough. */
  readonly help?: string;
}

/** The advice that goes with an edit, so that both say the same. */
export const adviceOf = ({ help, title }: SyntaxFix): string => help ?? `${title}.`;

const removed = (found: string): SyntaxFix => ({
  ...instead(found.length, ""),
  title: `Remove ${found}`,
  help: "Remove it: nothing stands between entries.",
});

/** All of what is wrong, written as it was meant. */
export const instead = (length: number, text: string): SyntaxFix => ({
  title: `Write ${text.trim()}`,
  safe: true,
  start: 0,
  end: length,
  text,
});

/** Signs of other languages, `key: value` and `;` after it, and what only looks like a sign of this one. */
export function otherSign(before: string, found: string): SyntaxFix | undefined {
  if (found === ";") return removed(found);
  if (found === ":" && /[A-Za-z_][\w-]*[ \t]*$/.test(before))
    return { ...instead(1, /[ \t]$/.test(before) ? "=" : " ="), title: "Write =" };
  const plain = found.normalize("NFKC").replace(/[\u2010-\u2015\u2212]/g, "-");
  if (plain === found || !/^[\w .,+*/(){}[\]=-]+$/.test(plain)) return undefined;
  return plain.trim() === ""
    ? { ...instead(found.length, plain), title: "Write a space" }
    : instead(found.length, plain);
}

/** A comment of other languages where this one's can stand: on one line, with nothing after it. */
export function lineComment(image: string, after: string): SyntaxFix | undefined {
  if (/[\r\n]/.test(image) || !/^[\r\n]?$/.test(after)) return undefined;
  return instead(image.length, `# ${image.replace(/^\/\*+|\*+\/$/g, "").trim()}`);
}

/** A path without its quotes. */
export const inQuotes = (image: string): SyntaxFix => instead(image.length, JSON.stringify(image));

/** Text in quotes of other languages. */
export const doubleQuoted = (image: string): SyntaxFix =>
  instead(image.length, `"${image.slice(1, -1)}"`);

/** A comma between digits parts thousands, or a fraction. */
export const isCommaInNumber = (before: string, found: string, after: string): boolean =>
  found === "," && /\d$/.test(before) && /^\d/.test(after);

/** The commas of `1,048,576`: between groups of three digits they part thousands. */
export function partedThousands(before: string, after: string): SyntaxFix | undefined {
  const groups = /^(?:,\d{3})+(?![\w,.])/.exec(after)?.[0];
  if (groups === undefined || !/(?<![\w,.])[1-9]\d{0,2}$/.test(before)) return undefined;
  const number = (/\d+$/.exec(before)?.[0] ?? "") + groups.replaceAll(",", "_");
  return { ...instead(groups.length, groups.replaceAll(",", "_")), title: `Write ${number}` };
}

/** A comma between entries. */
export const strayComma = (found: string): SyntaxFix | undefined =>
  found === "," ? removed(found) : undefined;

/** The second of two signs before a number, with the first: equal ones say nothing. */
export function doubledSign(first: IToken | undefined, second: IToken): SyntaxFix | undefined {
  const signs = [Minus, Plus];
  if (!first || !signs.includes(first.tokenType) || !signs.includes(second.tokenType))
    return undefined;
  const text = first.tokenType === second.tokenType ? "" : "-";
  const title = text === "" ? "Remove both signs" : "Write one -";
  return { title, safe: true, start: first.startOffset - second.startOffset, end: 1, text };
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
): SyntaxFix | undefined {
  const plain = tokenType === NumberLiteral || tokenType === Text;
  if (expected === "'='" && (plain || tokenType === OpenBracket))
    return { title: "Write =", safe: true, start: 0, end: 0, text: "= " };
  if (expected === "',' or ']'" && plain)
    return { title: "Write ,", safe: true, start: -gap, end: -gap, text: "," };
  return undefined;
}

/** A quote after the first word: where the string was to end is a guess. */
export function closingQuote(image: string): SyntaxFix | undefined {
  const word = /^"[^\s{}[\]=,"]+/.exec(image)?.[0];
  if (word === undefined || word.endsWith("\\")) return undefined;
  return { title: `Write ${word}"`, safe: false, start: word.length, end: word.length, text: '"' };
}

/** A backslash that was meant as one. */
export function escapedBackslash(sequence: string): SyntaxFix | undefined {
  if (sequence.startsWith("\\u")) return undefined;
  return { title: `Write \\${sequence}`, safe: false, start: 0, end: 0, text: "\\" };
}
