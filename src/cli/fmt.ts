import { resolve } from "pathe";
import { formatPretty } from "../diagnostics/format-pretty.js";
import { formatSpec } from "../format/format.js";
import { countOf } from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import { readText } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { unifiedDiff } from "./diff.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { SKRULL_SPECS, specFiles } from "./spec-paths.js";
import type { Terminal } from "./terminal.js";

export interface FmtOptions {
  /** Write nothing; findings where a file is not formatted. */
  readonly check: boolean;
  /** Write nothing; show what would change, and the same finding. */
  readonly diff: boolean;
}

type Outcome = "formatted" | "changed" | "syntax error" | "unreadable";

const OTHER_FORMS = /\.skrull\.(ya?ml|json)$/;
const INPUT = "-";
const INPUT_NAME = "stdin";

/**
 * `skrull fmt PATH...`, or `-` for standard input to standard output. A file with syntax errors is left alone.
 *
 * @param readInput standard input
 * @throws HostError
 */
export async function fmtCommand(
  host: Host,
  terminal: Terminal,
  paths: readonly string[],
  options: FmtOptions,
  readInput: () => Promise<string>,
): Promise<ExitCode> {
  if (paths.includes(INPUT)) {
    if (paths.length > 1)
      throw new HostError(INPUT, "is standard input and cannot be combined with other paths");
    return formatInput(terminal, await readInput(), options);
  }
  for (const path of paths) {
    if (OTHER_FORMS.test(path)) throw new HostError(path, "YAML and JSON are not formatted");
  }
  const outcomes = specFiles(host, paths, SKRULL_SPECS).map((path) =>
    formatFile(host, terminal, path, options),
  );
  terminal.remark(summary(outcomes, options));
  return exitCode(outcomes, options);
}

function formatInput(terminal: Terminal, text: string, options: FmtOptions): ExitCode {
  const result = formatSpec(text, INPUT_NAME);
  if (!("text" in result)) {
    const textOf = () => text;
    terminal.remark(formatPretty(result.diagnostics, { colour: false, textOf }));
    return EXIT.findings;
  }
  if (options.diff) terminal.out(unifiedDiff(INPUT_NAME, text, result.text));
  else if (!options.check) terminal.out(result.text);
  return exitCode([result.text === text ? "formatted" : "changed"], options);
}

/** One file that cannot be read keeps no other from being formatted. */
function formatFile(host: Host, terminal: Terminal, path: string, options: FmtOptions): Outcome {
  try {
    return formatReadable(host, terminal, path, options);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    terminal.remark(`error: ${printable(new HostError(path, error.reason).message)}\n`);
    return "unreadable";
  }
}

function formatReadable(
  host: Host,
  terminal: Terminal,
  path: string,
  options: FmtOptions,
): Outcome {
  const absolute = resolve(host.workingFolder, path);
  const text = readText(host, absolute);
  const result = formatSpec(text, path);
  if (!("text" in result)) {
    terminal.remark(formatPretty(result.diagnostics, { colour: false, textOf: () => text }));
    return "syntax error";
  }
  if (result.text === text) return "formatted";
  if (options.diff) terminal.out(unifiedDiff(path, text, result.text));
  else terminal.out(`${printable(path)}\n`);
  if (!options.check && !options.diff) host.writeFile(absolute, result.text, { inPlace: true });
  return "changed";
}

function exitCode(outcomes: readonly Outcome[], options: FmtOptions): ExitCode {
  if (outcomes.includes("unreadable")) return EXIT.couldNotRun;
  const wrong = outcomes.includes("syntax error");
  const stale = (options.check || options.diff) && outcomes.includes("changed");
  return wrong || stale ? EXIT.findings : EXIT.clean;
}

function summary(outcomes: readonly Outcome[], options: FmtOptions): string {
  const count = (outcome: Outcome) => outcomes.filter((each) => each === outcome).length;
  const files = countOf(outcomes.length, "file");
  const changed = options.check || options.diff ? "to be formatted" : "formatted";
  const wrong = count("syntax error");
  const left = wrong > 0 ? `, ${wrong} with syntax errors left alone` : "";
  return `${files} checked: ${count("changed")} ${changed}${left}\n`;
}
