import { LineMap, type Range } from "../foundation/text.js";
import { type Diagnostic, type Fix, sortDiagnostics } from "./diagnostic.js";

export interface FixOptions {
  /** Also fixes that might change what was meant. */
  readonly unsafe: boolean;
}

/** A text with the fixes of its diagnostics applied: all that do not get in each other's way. */
export function applyFixes(
  text: string,
  diagnostics: readonly Diagnostic[],
  options: FixOptions,
): string {
  const edits = chooseFixes(diagnostics, options).flatMap((fix) => fix.edits);
  return applyEdits(text, edits);
}

/** The fixes that can be applied together, the first in the file's order before later ones. */
export function chooseFixes(
  diagnostics: readonly Diagnostic[],
  { unsafe }: FixOptions,
): readonly Fix[] {
  const chosen: Fix[] = [];
  for (const { fix } of sortDiagnostics(diagnostics)) {
    if (!fix || !(fix.safe || unsafe)) continue;
    const free = fix.edits.every((edit) =>
      chosen.every((other) => other.edits.every((its) => !collide(edit.range, its.range))),
    );
    if (free) chosen.push(fix);
  }
  return chosen;
}

/** A text with edits applied that do not overlap. */
export function applyEdits(text: string, edits: Fix["edits"]): string {
  const lines = new LineMap(text);
  const placed = edits
    .map(({ range, new_text }) => ({
      start: lines.offset(range.start),
      end: lines.offset(range.end),
      new_text,
    }))
    .sort((a, b) => a.start - b.start);
  let result = "";
  let done = 0;
  for (const { start, end, new_text } of placed) {
    result += text.slice(done, start) + new_text;
    done = end;
  }
  return result + text.slice(done);
}

/** Overlapping, or touching where one is an insertion: the result would hang on their order. */
function collide(a: Range, b: Range): boolean {
  const touching = order(a.end, b.start) === 0 || order(b.end, a.start) === 0;
  if (touching) return isInsertion(a) || isInsertion(b);
  return order(a.start, b.end) < 0 && order(b.start, a.end) < 0;
}

const isInsertion = ({ start, end }: Range): boolean => order(start, end) === 0;

const order = (a: Range["start"], b: Range["start"]): number =>
  a.line - b.line || a.column - b.column;
