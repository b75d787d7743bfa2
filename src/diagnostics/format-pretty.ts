import { printableLines } from "../foundation/printable.js";
import { coverSecrets } from "../foundation/secrets.js";
import { LineMap } from "../foundation/text.js";
import type { Severity } from "./catalogue.js";
import type { Diagnostic } from "./diagnostic.js";

const COLOURS: Readonly<Record<Severity | "dim" | "bold", string>> = {
  error: "\u001b[31;1m",
  warning: "\u001b[33;1m",
  info: "\u001b[36;1m",
  dim: "\u001b[2m",
  bold: "\u001b[1m",
};

export interface PrettyOptions {
  readonly colour: boolean;
  /** Text of a file, for the code frame; `undefined` shows none. */
  readonly textOf: (file: string) => string | undefined;
}

/** Diagnostics for people: place, message, the line at fault, why, and what to do. */
export function formatPretty(diagnostics: readonly Diagnostic[], options: PrettyOptions): string {
  const maps = new Map<string, LineMap | undefined>();
  const linesOf = (file: string) => {
    if (!maps.has(file)) {
      const text = options.textOf(file);
      maps.set(file, text === undefined ? undefined : new LineMap(coverSecrets(text)));
    }
    return maps.get(file);
  };
  const paint = (style: keyof typeof COLOURS, text: string) =>
    options.colour ? `${COLOURS[style]}${text}\u001b[0m` : text;
  const first =
    diagnostics.find(({ severity }) => severity === "error") ??
    diagnostics.find(({ severity }) => severity === "warning");
  return [
    ...diagnostics
      .map((found) => formatOne(found, linesOf(found.file), paint))
      .map((lines) => `${lines.join("\n")}\n\n`),
    ...(first ? [`${paint("dim", `More about a code: skrull explain ${first.code}`)}\n\n`] : []),
  ].join("");
}

type Paint = (style: keyof typeof COLOURS, text: string) => string;

function formatOne(found: Diagnostic, lines: LineMap | undefined, paint: Paint): readonly string[] {
  const { line, column } = found.range.start;
  const head = `${visible(found.file)}:${line}:${column}`;
  return [
    `${paint("bold", head)} ${paint(found.severity, found.severity)} ${paint("dim", `[${found.code}]`)}`,
    `  ${multiline(visible(found.message))}`,
    ...(lines ? frame(found, lines, paint) : []),
    ...(found.related ?? []).map(
      ({ message, file, range }) =>
        `  ${visible(file)}:${range.start.line}:${range.start.column}: ${visible(message)}`,
    ),
    `  ${paint("dim", "why: ")}${multiline(visible(found.why))}`,
    ...(found.help === undefined
      ? []
      : [`  ${paint("dim", "help:")} ${multiline(visible(found.help))}`]),
  ];
}

const multiline = (text: string) => text.replaceAll("\n", "\n  ");

/** Of a line in a code frame. */
const SHOWN_COLUMNS = 120;

/** The line at fault with the fault underlined; long lines are cut around it. */
function frame({ range, severity }: Diagnostic, lines: LineMap, paint: Paint): readonly string[] {
  const { start, end } = range;
  const source = lines.line(start.line);
  if (source === "") return [];
  const fits = source.length <= SHOWN_COLUMNS;
  const from = fits ? 0 : Math.max(0, Math.min(start.column - 1, source.length) - 60);
  const shown = visible(source.slice(from, from + SHOWN_COLUMNS));
  const width =
    end.line === start.line ? end.column - start.column : source.length - start.column + 1;
  const indent = start.column - 1 - from;
  const marks = "^".repeat(Math.max(1, Math.min(width, SHOWN_COLUMNS - indent)));
  const gutter = String(start.line);
  const rule = " ".repeat(gutter.length);
  return [
    `  ${paint("dim", `${gutter} |`)} ${shown}`,
    `  ${paint("dim", `${rule} |`)} ${" ".repeat(indent)}${paint(severity, marks)}`,
  ];
}

/** One column a character, so that the marks stand under the fault; nothing reaches the terminal as a command. */
const visible = (text: string): string => printableLines(text.replaceAll("\t", " "));
