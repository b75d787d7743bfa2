import { RETIRED_CODES, type RetiredCode } from "./catalogue/retired.js";
import { type Diagnostic, diagnostic, type Fix, type Place } from "./diagnostic.js";

/** A code of an earlier version; `undefined` for any other name. */
export const retiredCode = (name: string): RetiredCode | undefined =>
  Object.hasOwn(RETIRED_CODES, name) ? RETIRED_CODES[name] : undefined;

/** What became of it, after its name. */
export const fateOf = ({ since, successor }: RetiredCode): string =>
  successor === undefined ? `was dropped in ${since}` : `became part of '${successor}' in ${since}`;

/** Tells whoever names a retired code what became of it. */
export function retiredDiagnostic(
  name: string,
  retired: RetiredCode,
  place: Place,
  fix?: Fix,
): Diagnostic {
  const { successor, why } = retired;
  const help =
    successor === undefined
      ? "Remove it; it has no effect."
      : `Write ${successor}, to which it applies.`;
  const extra = { help, ...(fix ? { fix } : {}) };
  return diagnostic("retired-code", { name, fate: fateOf(retired), reason: why }, place, extra);
}

/** The page of a retired code, in Markdown. */
export function retiredPage(name: string, { since, successor, why }: RetiredCode): string {
  const fate =
    successor === undefined
      ? `Dropped in ${since}. Suppressions and configurations that name it have no effect.`
      : `Part of \`${successor}\` since ${since}. Suppressions and configurations that name it apply to that.`;
  return [`# ${name}`, "", fate, "", why, ""].join("\n");
}
