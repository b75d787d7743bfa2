import { printableLines } from "../foundation/printable.js";
import type { Severity } from "./catalogue.js";
import type { Diagnostic } from "./diagnostic.js";

const COMMANDS: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  info: "notice",
};

/** Workflow commands of GitHub Actions: each becomes an annotation at its line in the pull request. */
export function formatGithub(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((found) => `${command(found)}\n`).join("");
}

function command(found: Diagnostic): string {
  const { severity, code, message, why, help, related = [], file, range } = found;
  const { start, end } = range;
  // The runner drops columns that do not lie on one line.
  const columns = start.line === end.line ? { col: start.column, endColumn: end.column } : {};
  const properties = Object.entries({
    file,
    line: start.line,
    endLine: end.line,
    ...columns,
    title: `skrull: ${code}`,
  }).map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
  const others = related.map(
    (other) =>
      `${other.file}:${other.range.start.line}:${other.range.start.column}: ${other.message}`,
  );
  const text = [message, ...others, why, ...(help === undefined ? [] : [help])].join("\n");
  return `::${COMMANDS[severity]} ${properties.join(",")}::${escapeData(text)}`;
}

/** Escapes are undone by the runner; whatever else is invisible has no business in its log. */
function escapeData(text: string): string {
  const normal = text.replaceAll("\r\n", "\n");
  const escaped = normal.replaceAll("%", "%25").replaceAll("\r", "%0D");
  return printableLines(escaped).replaceAll("\n", "%0A");
}

const escapeProperty = (text: string): string =>
  escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
