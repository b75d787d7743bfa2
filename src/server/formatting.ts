import type { TextEdit } from "vscode-languageserver";
import { formatSpec } from "../format/format.js";
import type { AnalysedDocument } from "./document.js";
import { spanRange } from "./positions.js";

/**
 * What the formatter would change, as one edit of the lines that differ; text with syntax errors stays as it is. Line
 * ends stay too: editors have a setting for them, and write their own into every edit.
 */
export function formatEdits(document: AnalysedDocument): readonly TextEdit[] {
  if (!document.native) return [];
  const { text, path, lines } = document;
  const formatted = formatSpec(text, path);
  if (!("text" in formatted)) return [];
  const ends = text.includes("\r\n") ? "\r\n" : "\n";
  const [old, wanted] = [linesOf(text), linesOf(formatted.text.replaceAll("\n", ends))];
  const first = sameLines(old, wanted);
  if (first === old.length && first === wanted.length) return [];
  const last = sameLines(old.slice(first).reverse(), wanted.slice(first).reverse());
  const start = lengthOf(old.slice(0, first));
  const end = start + lengthOf(old.slice(first, old.length - last));
  const newText = wanted.slice(first, wanted.length - last).join("");
  return [{ range: spanRange(lines, { start, end }), newText }];
}

/** Lines with their ends. */
const linesOf = (text: string): readonly string[] => text.split(/(?<=\n)/);

const lengthOf = (lines: readonly string[]): number =>
  lines.reduce((sum, line) => sum + line.length, 0);

/** How many lines two texts begin with in common. */
function sameLines(a: readonly string[], b: readonly string[]): number {
  const first = a.findIndex((line, n) => line !== b[n]);
  return first === -1 ? a.length : first;
}
