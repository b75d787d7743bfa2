import { resolve } from "pathe";
import { type Diagnostic, hasErrors } from "../diagnostics/diagnostic.js";
import { walk } from "../host/files.js";
import { type Host, HostError } from "../host/host.js";
import { Linter } from "../lint/linter.js";
import type { Analysis } from "../semantics/analyze.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { analyzeFile, showDiagnostics } from "./spec-file.js";
import type { Terminal } from "./terminal.js";

export interface LintOptions {
  readonly format: "pretty" | "json";
  readonly denyWarnings: boolean;
}

const SPEC_ENDING = /\.skrull(\.ya?ml|\.json)?$/;
/** Folders whose specs are copies or someone else's. */
const SKIPPED = /(^|\/)(node_modules|\.[^/]+)\//;

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

/** Files by name as they are, of folders those that no configuration leaves out. */
async function chosenFiles(
  host: Host,
  linter: Linter,
  paths: readonly string[],
): Promise<readonly string[]> {
  const chosen = new Set<string>();
  for (const path of paths) {
    for (const file of specFiles(host, path)) {
      if (file === path || !(await linter.excludes(file))) chosen.add(file);
    }
  }
  return [...chosen];
}

/** What is wrong in an imported file is found with every spec that imports it. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const known = new Map(diagnostics.map((found) => [JSON.stringify(found), found]));
  return [...known.values()];
}

function specFiles(host: Host, path: string): readonly string[] {
  const absolute = resolve(host.workingFolder, path);
  const kind = host.status(absolute)?.kind;
  if (kind === undefined) throw new HostError(path, "no such file or folder");
  if (kind !== "folder") return [path];
  const prefix = path.replace(/\/+$/, "");
  const found = [...walk(host, absolute)].filter(
    (file) => SPEC_ENDING.test(file) && !SKIPPED.test(`/${file}`),
  );
  if (found.length === 0) throw new HostError(path, "no .skrull file in this folder");
  return found.map((file) => (prefix === "" ? file : `${prefix}/${file}`));
}

function summary(files: number, errors: number, warnings: number): string {
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  return `${count(files, "file")} checked: ${count(errors, "error")}, ${count(warnings, "warning")}\n`;
}
