import type { DiagnosticCode } from "../diagnostics/catalogue.js";
import type { Host } from "../host/host.js";
import type { ExitCode } from "./exit-code.js";
import { lintCommand } from "./lint.js";
import { planCommand } from "./plan.js";
import type { Terminal } from "./terminal.js";

/** What a verb says about an example of a diagnostic's page. */
export interface ExampleReport {
  readonly verb: "lint" | "plan";
  readonly exitCode: ExitCode;
  /** As shown to people, one text a diagnostic. */
  readonly diagnostics: readonly string[];
}

/**
 * Runs the verbs that report diagnostics on an example. The second `lint` finds the lengths that `plan` measured.
 *
 * @throws HostError
 */
export async function* reportsOf(
  host: Host,
  path: string,
  skrullVersion: string,
): AsyncGenerator<ExampleReport> {
  yield await lintReport(host, path, skrullVersion);
  const shown: string[] = [];
  const options = { path, format: "pretty", skrullVersion } as const;
  const exitCode = await planCommand(host, collecting([], shown), options);
  yield { verb: "plan", exitCode, diagnostics: split(shown) };
  yield await lintReport(host, path, skrullVersion);
}

/** Whether one of a report's texts is a diagnostic of this code. */
export const isOfCode = (text: string, code: DiagnosticCode): boolean =>
  text.split("\n", 1)[0]?.endsWith(`[${code}]`) ?? false;

async function lintReport(host: Host, path: string, skrullVersion: string): Promise<ExampleReport> {
  const shown: string[] = [];
  const exitCode = await lintCommand(host, collecting(shown, []), [path], {
    ...{ format: "pretty", denyWarnings: false, fix: false, unsafeFixes: false },
    skrullVersion,
  });
  return { verb: "lint", exitCode, diagnostics: split(shown) };
}

const collecting = (results: string[], remarks: string[]): Terminal => ({
  colour: false,
  out: (text) => void results.push(text),
  remark: (text) => void remarks.push(text),
  progress: () => {},
});

const split = (shown: readonly string[]): readonly string[] =>
  shown
    .join("")
    .split("\n\n")
    .filter((text) => /^[^\n]* \[[a-z-]+\]$/m.test(text));
