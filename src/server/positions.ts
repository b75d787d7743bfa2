import type { Position as LspPosition, Range as LspRange } from "vscode-languageserver";
import type { LineMap, Range } from "../foundation/text.js";
import type { Span } from "../syntax/tree.js";

/** The protocol counts lines and characters from 0, the compiler from 1; both in UTF-16 units. */
export function lspRange({ start, end }: Range): LspRange {
  return {
    start: { line: start.line - 1, character: start.column - 1 },
    end: { line: end.line - 1, character: end.column - 1 },
  };
}

export const spanRange = (lines: LineMap, { start, end }: Span): LspRange =>
  lspRange(lines.range(start, end));

export const offsetOf = (lines: LineMap, { line, character }: LspPosition): number =>
  lines.offset({ line: line + 1, column: character + 1 });
