import type { Entries } from "./catalogue/entry.js";
import { INPUT_CODES } from "./catalogue/inputs.js";
import { LANGUAGE_CODES } from "./catalogue/language.js";
import { LINT_CODES } from "./catalogue/lint.js";
import { PLAN_CODES } from "./catalogue/plan.js";
import { SYNTAX_CODES } from "./catalogue/syntax.js";

export type { Entries, Entry, Severity } from "./catalogue/entry.js";

/**
 * Every diagnostic of the compiler, declared once, in a file for each area. To add one, add an entry there: a wrong
 * code or a missing placeholder elsewhere then does not compile.
 */
export const CATALOGUE = {
  ...SYNTAX_CODES,
  ...LANGUAGE_CODES,
  ...INPUT_CODES,
  ...PLAN_CODES,
  ...LINT_CODES,
} as const satisfies Entries;

export type DiagnosticCode = keyof typeof CATALOGUE;
