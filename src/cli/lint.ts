import { resolve } from "pathe";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import type { Host } from "../host/host.js";
import { Linter } from "../lint/linter.js";
import type { Analysis } from "../semantics/analyze.js";
import { analyzeFile, showDiagnostics } from "./analysis.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { specFiles } from "./spec-paths.js";
import type { Terminal } from "./terminal.js";

export interface LintOptions {
  readonly format: "pretty" | "json";
  readonly denyWarnings: boolean;
}

/** `skrull lint PATH...`: every mistake in the specs, in the order of paths. @throws HostError */
export async function lintCommand(
  host: Host,
  terminal: Terminal,
  paths: readonly string[],
  options: LintOptions,
): Promise<ExitCode> {
  const linter = new Linter(host);
  const files = await chosenFiles(host, linter, paths);
  const analyses: Analysis[] = [];
  for (const file of files) analyses.push(await linter.lint(await analyzeFile(host, file)));
  const found = analyses.flatMap((analysis) => analysis.diagnostics);
  const diagnostics = withoutRepeats([...linter.diagnostics, ...found]);
  const sources = [...linter.sources, ...analyses.flatMap(({ documents }) => documents)];
  terminal.out(showDiagnostics(sources, diagnostics, options.format, terminal.colour));
  const errors = diagnostics.filter((d) => d.severity === "error").length;
  const warnings = diagnostics.filter((d) => d.severity === "warning").length;
  if (options.format === "pretty") terminal.out(summary(files.length, errors, warnings));
  return hasErrors(diagnostics) || (options.denyWarnings && warnings > 0)
    ? EXIT.findings
    : EXIT.clean;
}

/** Files that are named themselves, and of folders those that no configuration leaves out. */
async function chosenFiles(
  host: Host,
  linter: Linter,
  paths: readonly string[],
): Promise<readonly string[]> {
  const named = new Set(paths.map((path) => resolve(host.workingFolder, path)));
  const chosen: string[] = [];
  for (const file of specFiles(host, paths)) {
    const kept = named.has(resolve(host.workingFolder, file)) || !(await linter.excludes(file));
    if (kept) chosen.push(file);
  }
  return chosen;
}

/** What is wrong in an imported file is found with every spec that imports it. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Map(diagnostics.map((found) => [JSON.stringify(found), found]));
  return [...known.values()];
}

function summary(files: number, errors: number, warnings: number): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  return `${count(files, "file")} checked: ${count(errors, "error")}, ${count(warnings, "warning")}\n`;
}
