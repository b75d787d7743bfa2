import { RETIRED_CODES, type RetiredCode } from "./catalogue/retired.js";
import { type Diagnostic, diagnostic, type Fix, type Place } from "./diagnostic.js";

/** A code of an earlier version; `undefined` for any other name. */
export const retiredCode = (name: string): RetiredCode | undefined =>
  Object.hasOwn(RETIRED_CODES, name) ? RETIRED_CODES[name] : undefined;

/** What became of it, after its name. */
export const fateOf = ({ since, successor }: RetiredCode): string =>
  successor === undefined ? `was dropped in ${since}` : `became part of '${successor}' in ${since}`;

/**
 * Tells whoever names a retired code what became of it.
 *
 * @param use what the name was to do, and no longer does
 */
export function retiredDiagnostic(
  name: string,
  retired: RetiredCode,
  place: Place,
  use: "suppression" | "level" | "options",
  fix?: Fix,
): Diagnostic {
  const { successor, why } = retired;
  const help =
    successor === undefined ? "Remove it; it has no effect." : HELP_OF_MERGED[use](successor);
  const extra = { help, ...(fix ? { fix } : {}) };
  return diagnostic("retired-code", { name, fate: fateOf(retired), reason: why }, place, extra);
}

/** A successor reports more than the code that became part of it: nobody meant the rest by the old name. */
const HELP_OF_MERGED = {
  suppression: (successor: string) =>
    `It has no effect, as ${successor} reports more. Write ${successor} to suppress all of it.`,
  level: (successor: string) =>
    `Its level has no effect, as ${successor} reports more. Set the level of ${successor} if all of it is meant.`,
  options: (successor: string) => `Set the same under ${successor}; until then it still applies.`,
};

/** The page of a retired code, in Markdown. */
export function retiredPage(name: string, { since, successor, options, why }: RetiredCode): string {
  const kept = options ? "; its options still apply" : "";
  const fate =
    successor === undefined
      ? `Dropped in ${since}. Suppressions and configurations that name it have no effect.`
      : `Part of \`${successor}\` since ${since}. That reports more, so suppressions and levels that name ${name} have no effect${kept}.`;
  return [`# ${name}`, "", fate, "", why, ""].join("\n");
}
