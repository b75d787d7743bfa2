import { didYouMean } from "../foundation/suggest.js";
import type { Range } from "../foundation/text.js";
import type { Extra, Fix } from "./diagnostic.js";

/**
 * Help, and a fix if there is one, for a word that nobody knows: the known one that it was most likely meant as.
 *
 * @param otherwise help where none is near enough
 */
export function suggestion(
  word: string,
  known: readonly string[],
  otherwise: string,
  fixWith: (near: string) => Fix | undefined,
): Extra {
  const near = didYouMean(word, known);
  return near === undefined ? { help: otherwise } : meant(near, fixWith(near));
}

/** Help of the same words for what was meant by other signs than letters that are nearly the same. */
export const meant = (near: string, fix: Fix | undefined): Extra => ({
  help: `Did you mean ${near}?`,
  ...(fix ? { fix } : {}),
});

/** Another name; never safe, as it is a guess. */
export const renaming = (range: Range, near: string): Fix => ({
  title: `Rename to ${near}`,
  safe: false,
  edits: [{ range, new_text: near }],
});
