import { hasErrors } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { analyzeFile, showDiagnostics } from "./spec-file.js";
import { specFiles } from "./spec-paths.js";
import type { Terminal } from "./terminal.js";

export interface LintOptions {
  readonly format: "pretty" | "json";
  readonly denyWarnings: boolean;
}

/** `skrull lint PATH...`: every mistake in the specs, in the order of paths. @throws HostError */
export function lintCommand(
  host: Host,
  terminal: Terminal,
  paths: readonly string[],
  options: LintOptions,
): ExitCode {
  const files = specFiles(host, paths);
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

function summary(files: number, errors: number, warnings: number): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  return `${count(files, "file")} checked: ${count(errors, "error")}, ${count(warnings, "warning")}\n`;
}
