import type { Extra, Fix } from "../diagnostics/diagnostic.js";
import type { NameNode, Span } from "../syntax/tree.js";
import type { Report } from "./report.js";

// Fixes that add what is missing. Values are placeholders, so that none which has one is safe.

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

/** The line that says the language's version, safe as it is; a map of YAML in braces has no place for one. */
export function versionLine(version: number, report: Report): Extra {
  const yaml = report.isYaml;
  const line = yaml ? `skrull: ${version}` : `skrull ${version}`;
  const help = `Begin the file with the line: ${line}`;
  const lines = report.text.replace(/^\uFEFF/, "").split(/\r\n?|\n/);
  const first = lines.find((one) => !/^\s*(#|$)/.test(one));
  if (yaml && first !== undefined && !/^[\w"']/.test(first)) return { help };
  const after = report.newLine.repeat(yaml ? 1 : 2);
  const start = { start: 0, end: 0 };
  return { help, fix: report.replacement(`Add ${line}`, start, line + after, true) };
}
