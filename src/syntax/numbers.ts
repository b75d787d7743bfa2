/**
 * What stands where a number should be: also what other languages take for one, so that it is told as a whole. After a
 * name a point begins none.
 */
export const LIKE_A_NUMBER =
  /0[xXoObB][\da-fA-F_]+|(?:(?<![\w-])\.)?\d[\d_.]*(?:[eE](?:[-+]?[\d_][\d_.]*|[-+]?(?!\w)))?/;

const LIKE_ONE = new RegExp(`^(?:${LIKE_A_NUMBER.source})$`);
const NUMBER = /^(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][-+]?\d(?:_?\d)*)?$/;

/** Why a literal is no number. */
export interface NumberProblem {
  readonly problem: string;
  /** The number that it can only mean. */
  readonly meant?: string;
}

/** `undefined` for a sound literal, and for what is nothing like one. */
export function numberProblem(literal: string): NumberProblem | undefined {
  if (NUMBER.test(literal) || !LIKE_ONE.test(literal)) return undefined;
  if (/^0[a-z]/i.test(literal) && !/^0e/i.test(literal)) return otherBase(literal);
  const meant = corrected(literal);
  return { problem: problemOf(literal), ...(NUMBER.test(meant) ? { meant } : {}) };
}

function otherBase(literal: string): NumberProblem {
  const value = Number(literal.replaceAll("_", ""));
  const meant = Number.isSafeInteger(value) ? { meant: String(value) } : {};
  return { problem: "numbers are decimal", ...meant };
}

function problemOf(literal: string): string {
  if (/\..*\./.test(literal)) return "it has more than one decimal point";
  if (/^\.|\.(?!\d)/.test(literal)) return "a decimal point stands between two digits";
  if (/[eE][-+]?$/.test(literal)) return "its exponent has no digits";
  return /_(?!\d)|(?<!\d)_/.test(literal)
    ? "an underscore stands between two digits"
    : "it begins with a needless 0";
}

/** Without what can be left out; with what goes without saying. */
function corrected(literal: string): string {
  if (/\..*\./.test(literal)) return literal;
  return literal
    .replace(/_+/g, "_")
    .replace(/_(?!\d)|(?<!\d)_/g, "")
    .replace(/^\./, "0.")
    .replace(/\.(?!\d)/, "")
    .replace(/^0[0_]*(?=\d)/, "");
}

/** No spec can tell 0 from -0. */
export const negated = (value: number): number => 0 - value;
