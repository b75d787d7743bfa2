import type { Fix } from "../diagnostics/diagnostic.js";
import type { NameNode, Span } from "../syntax/tree.js";
import type { Report } from "./report.js";

// Fixes that add what is missing. Their values are placeholders, so none of them is safe.

/** An entry at the end of a body in braces; after its tag where there is none yet. */
export function entryInBody(
  entry: string,
  body: Span,
  header: NameNode,
  report: Report,
): Fix | undefined {
  const title = `Add ${entry}`;
  if (report.written(header) !== header.text) return undefined;
  const close = { start: body.end - 1, end: body.end - 1 };
  if (body.start === header.start)
    return report.replacement(title, { start: header.end, end: header.end }, ` { ${entry} }`);
  if (report.written({ start: close.start, end: body.end }) !== "}") return undefined;
  const line = report.lineBefore(close.start);
  if (line.trim() !== "") {
    const space = /\s$/.test(line) ? "" : " ";
    return report.replacement(title, close, `${space}${entry} `);
  }
  const start = close.start - line.length;
  const newLine = report.newLine;
  return report.replacement(title, { start, end: start }, `${line}  ${entry}${newLine}`);
}

/** A block at the end of the file. */
export function blockAtEnd(block: string, report: Report): Fix {
  const end = report.text.length;
  const before = report.lineBefore(end) === "" ? "" : report.newLine;
  const title = `Add ${block}`;
  return report.replacement(title, { start: end, end }, `${before}${block}${report.newLine}`);
}
