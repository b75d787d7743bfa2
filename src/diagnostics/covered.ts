import type { Diagnostic, Fix } from "./diagnostic.js";

/**
 * A diagnostic whose texts are safe to show.
 *
 * @param cover covers the credentials in a text
 */
export function coveredDiagnostic(found: Diagnostic, cover: (text: string) => string): Diagnostic {
  const { message, why, help, related, fix, ...rest } = found;
  return {
    ...rest,
    message: cover(message),
    why: cover(why),
    ...(help === undefined ? {} : { help: cover(help) }),
    ...(related
      ? { related: related.map((one) => ({ ...one, message: cover(one.message) })) }
      : {}),
    // Covered, a fix would write asterisks into the file.
    ...(fix && !shows(fix, cover) ? { fix } : {}),
  };
}

const shows = ({ title, edits }: Fix, cover: (text: string) => string): boolean =>
  [title, ...edits.map((edit) => edit.new_text)].some((text) => cover(text) !== text);
