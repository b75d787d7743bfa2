import { resolve } from "pathe";
import { hasErrors } from "../diagnostics/diagnostic.js";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { analyzeFile, showDiagnostics } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

export interface LintOptions {
  readonly format: "pretty" | "json";
  readonly denyWarnings: boolean;
}

const SPEC_ENDING = ".skrull";
/** Folders whose specs are copies or someone else's. */
const SKIPPED = /(^|\/)(node_modules|\.[^/]+)\//;

/** `skrull lint PATH...`: every mistake in the specs, in the order of paths. @throws HostError */
export function lintCommand(
  host: Host,
  terminal: Terminal,
  paths: readonly string[],
  options: LintOptions,
): ExitCode {
  const files = [...new Set(paths.flatMap((path) => specFiles(host, path)))];
  const analyses = files.map((file) => analyzeFile(host, file));
  const diagnostics = analyses.flatMap((analysis) => analysis.diagnostics);
  terminal.out(showDiagnostics(analyses, diagnostics, options.format, terminal.colour));
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.filter((d) => d.severity === "warning").length;
  if (options.format === "pretty") terminal.out(summary(files.length, errors, warnings));
  return hasErrors(diagnostics) || (options.denyWarnings && warnings > 0)
    ? EXIT.findings
    : EXIT.clean;
}

function specFiles(host: Host, path: string): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  const kind = host.status(absolute)?.kind;
  if (kind === undefined) throw new HostError(path, "no such file or folder");
  if (kind !== "folder") return [path];
  const prefix = path.replace(/\/+$/, "");
  const found = [...walk(host, absolute)].filter(
    (file) => file.endsWith(SPEC_ENDING) && !SKIPPED.test(`/${file}`),
  );
  if (found.length === 0) throw new HostError(path, `no ${SPEC_ENDING} file in this folder`);
  return found.map((file) => (prefix === "" ? file : `${prefix}/${file}`));
}

function summary(files: number, errors: number, warnings: number): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  return `${count(files, "file")} checked: ${count(errors, "error")}, ${count(warnings, "warning")}\n`;
}
