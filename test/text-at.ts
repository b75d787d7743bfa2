import type { Range } from "../src/foundation/text.js";

/** The text of a range, for tests of places. */
export function textAt(text: string, { start, end }: Range): string {
  const lines = text.split(/(?<=\r\n|\n|\r(?!\n))/);
  const offset = ({ line, column }: Range["start"]) =>
    lines.slice(0, line - 1).reduce((sum, one) => sum + one.length, 0) + column - 1;
  return text.slice(offset(start), offset(end));
}
