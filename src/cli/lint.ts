import { resolve } from "pathe";
import { type Diagnostic, hasErrors, withoutRepeats } from "../diagnostics/diagnostic.js";
import type { DiagnosticFormat } from "../diagnostics/formats.js";
import { countOf } from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import { type Host, HostError } from "../host/host.js";
import { Linter } from "../lint/linter.js";
import type { Analysis } from "../semantics/analyze.js";
import { analyzeFile, analyzeText, showDiagnostics } from "./analysis.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { fixFile } from "./fix-file.js";
import { findSpecs } from "./spec-paths.js";
import type { Terminal } from "./terminal.js";

export interface LintOptions {
  readonly format: DiagnosticFormat;
  readonly denyWarnings: boolean;
  /** Apply safe fixes. */
  readonly fix: boolean;
  /** Apply the others too. */
  readonly unsafeFixes: boolean;
  /** Files that are named themselves are left out too, where a configuration says so. */
  readonly forceExclude?: boolean;
  readonly skrullVersion: string;
}

/** `skrull lint PATH...`: every mistake in the specs, in the order of paths. @throws HostError */
export async function lintCommand(
  host: Host,
  terminal: Terminal,
  paths: readonly string[],
  options: LintOptions,
): Promise<ExitCode> {
  const linter = new Linter(host);
  const found = findSpecs(host, paths);
  const named = options.forceExclude ? [] : paths;
  const files = await withoutExcluded(host, linter, named, found.files);
  const { linted, unreadable } = await lintFiles(host, linter, files, options);
  for (const { message } of [...found.problems, ...unreadable])
    terminal.remark(`error: ${printable(message)}\n`);
  const analyses = linted.map(({ analysis }) => analysis);
  const diagnostics = withoutRepeats([
    ...linter.diagnostics,
    ...analyses.flatMap((analysis) => analysis.diagnostics),
  ]);
  const sources = [...linter.sources, ...analyses.flatMap(({ documents }) => documents)];
  terminal.out(showDiagnostics(sources, diagnostics, { ...options, colour: terminal.colour }));
  reportFixes(terminal, linted, options);
  const warnings = count(diagnostics, "warning");
  if (options.format === "pretty") terminal.out(summary(analyses, diagnostics, options));
  if (found.problems.length + unreadable.length > 0) return EXIT.couldNotRun;
  return hasErrors(diagnostics) || (options.denyWarnings && warnings > 0)
    ? EXIT.findings
    : EXIT.clean;
}

/** Files that are named themselves, and of the others those that no configuration leaves out. */
async function withoutExcluded(
  host: Host,
  linter: Linter,
  named: readonly string[],
  files: readonly string[],
): Promise<readonly string[]> {
  const kept = new Set(named.map((path) => resolve(host.workingFolder, path)));
  const chosen: string[] = [];
  for (const file of files) {
    const isKept = kept.has(resolve(host.workingFolder, file)) || !(await linter.excludes(file));
    if (isKept) chosen.push(file);
  }
  return chosen;
}

interface Linted {
  /** Of what is left after fixing. */
  readonly analysis: Analysis;
  readonly fixed: number;
}

/** One file that cannot be read keeps no other from being checked. */
async function lintFiles(
  host: Host,
  linter: Linter,
  files: readonly string[],
  { fix, unsafeFixes }: LintOptions,
) {
  const linted: Linted[] = [];
  const unreadable: HostError[] = [];
  for (const file of files) {
    try {
      const analysis = await linter.lint(await analyzeFile(host, file));
      const again = async (text: string) => linter.lint(await analyzeText(host, file, text));
      linted.push(
        fix
          ? await fixFile(host, file, analysis, { unsafe: unsafeFixes }, again)
          : { analysis, fixed: 0 },
      );
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      unreadable.push(new HostError(file, error.reason));
    }
  }
  return { linted, unreadable };
}

function reportFixes(terminal: Terminal, linted: readonly Linted[], { fix }: LintOptions): void {
  if (!fix) return;
  const changed = linted.filter(({ fixed }) => fixed > 0);
  const fixes = changed.reduce((sum, { fixed }) => sum + fixed, 0);
  terminal.remark(
    `${countOf(fixes, "fix", "fixes")} applied in ${countOf(changed.length, "file")}\n`,
  );
}

function summary(
  analyses: readonly Analysis[],
  diagnostics: readonly Diagnostic[],
  { fix, unsafeFixes }: LintOptions,
): string {
  const found = `${countOf(count(diagnostics, "error"), "error")}, ${countOf(count(diagnostics, "warning"), "warning")}`;
  // Of specs only: nobody asked for another configuration.
  const files = new Set(analyses.map(({ file }) => file));
  const fixes = diagnostics.flatMap((d) => (d.fix && files.has(d.file) ? [d.fix] : []));
  const safe = fixes.filter((one) => one.safe).length;
  const unsafe = fixes.length - safe;
  const offers = [
    ...(safe > 0 && !fix ? [`${safe} fixable with --fix`] : []),
    ...(unsafe > 0 && !unsafeFixes
      ? [`${unsafe} ${safe > 0 ? "more" : "fixable"} with --unsafe-fixes`]
      : []),
  ];
  const offer = offers.length > 0 ? `; ${offers.join(", ")}` : "";
  return `${countOf(analyses.length, "file")} checked: ${found}${offer}\n`;
}

const count = (diagnostics: readonly Diagnostic[], severity: string) =>
  diagnostics.filter((d) => d.severity === severity).length;
