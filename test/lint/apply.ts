import type { Fix } from "../../src/diagnostics/diagnostic.js";
import type { Position } from "../../src/foundation/text.js";

/** A text after a fix; its edits lie in the text's order and do not overlap. */
export function apply(text: string, fix: Fix | undefined): string {
  return (fix?.edits ?? []).reduceRight((result, { range, new_text }) => {
    const [start, end] = [offset(result, range.start), offset(result, range.end)];
    return result.slice(0, start) + new_text + result.slice(end);
  }, text);
}

function offset(text: string, { line, column }: Position): number {
  const before = text.split("\n").slice(0, line - 1);
  return before.reduce((sum, l) => sum + l.length + 1, 0) + column - 1;
}
