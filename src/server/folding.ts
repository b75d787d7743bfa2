import { type FoldingRange, FoldingRangeKind } from "vscode-languageserver";
import type { AnalysedDocument } from "./document.js";

/** Braces and brackets over several lines, and runs of whole-line comments. */
export function foldingRanges({ tokens, lines, text }: AnalysedDocument): readonly FoldingRange[] {
  const found: FoldingRange[] = [];
  const open: number[] = [];
  let comments: { first: number; last: number } | undefined;
  const flush = () => {
    if (comments && comments.last > comments.first)
      found.push({
        startLine: comments.first,
        endLine: comments.last,
        kind: FoldingRangeKind.Comment,
      });
    comments = undefined;
  };
  for (const token of tokens) {
    const line = lines.position(token.start).line - 1;
    if (token.kind === "comment") {
      const whole = lines
        .line(line + 1)
        .trimStart()
        .startsWith(token.text.slice(0, 1));
      if (!whole) continue;
      if (comments && line === comments.last + 1) comments.last = line;
      else {
        flush();
        comments = { first: line, last: line };
      }
      continue;
    }
    flush();
    if (token.text === "{" || token.text === "[") open.push(line);
    if (token.text === "}" || token.text === "]") {
      const start = open.pop();
      // The closing line stays in sight.
      if (start !== undefined && line - 1 > start)
        found.push({ startLine: start, endLine: line - 1 });
    }
  }
  flush();
  return text === "" ? [] : found.sort((a, b) => a.startLine - b.startLine);
}
