import type { Diagnostic } from "../diagnostics/diagnostic.js";
import type { Range } from "../foundation/text.js";

/**
 * Diagnostics of an earlier text of a file at their places in a later one: those on lines that did not change. They
 * stand in for what takes longer to find again.
 */
export function carriedOver(
  found: readonly Diagnostic[],
  before: string,
  after: string,
): readonly Diagnostic[] {
  if (before === after) return found;
  const [old, now] = [linesOf(before), linesOf(after)];
  const head = commonLines(old, now);
  const tail = commonLines(old.slice(head).reverse(), now.slice(head).reverse());
  const moved = now.length - old.length;
  return found.flatMap((one) => {
    const { start, end } = one.range;
    const above = end.line <= head;
    if (above && placesOf(one).every((range) => range.end.line <= head)) return [one];
    if (!above && start.line <= old.length - tail) return [];
    // What else the diagnostic points at may be gone.
    const { related: _, fix: __, ...rest } = one;
    return [{ ...rest, range: above ? one.range : shifted(one.range, moved) }];
  });
}

/** What else a diagnostic points at in its own file. */
const placesOf = ({ file, related = [], fix }: Diagnostic): readonly Range[] => [
  ...related.filter((one) => one.file === file).map(({ range }) => range),
  ...(fix?.edits ?? []).map(({ range }) => range),
];

const linesOf = (text: string): readonly string[] => text.split(/\r\n|\n|\r/);

/** How many lines two texts begin with in common. */
function commonLines(a: readonly string[], b: readonly string[]): number {
  const first = a.findIndex((line, n) => line !== b[n]);
  return first === -1 ? a.length : first;
}

const shifted = ({ start, end }: Range, lines: number): Range => ({
  start: { ...start, line: start.line + lines },
  end: { ...end, line: end.line + lines },
});
