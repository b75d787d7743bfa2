import type { Diagnostic } from "./diagnostic.js";
import { formatGithub } from "./format-github.js";
import { formatJson } from "./format-json.js";
import { formatPretty, type PrettyOptions } from "./format-pretty.js";
import { formatSarif } from "./format-sarif.js";

/** Formats of `lint --format`. */
export const DIAGNOSTIC_FORMATS = ["pretty", "json", "sarif", "github"] as const;
export type DiagnosticFormat = (typeof DIAGNOSTIC_FORMATS)[number];

export interface FormatOptions extends PrettyOptions {
  readonly skrullVersion: string;
}

/** Diagnostics in one of the contract's formats. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  format: DiagnosticFormat,
  options: FormatOptions,
): string {
  switch (format) {
    case "pretty":
      return formatPretty(diagnostics, options);
    case "json":
      return formatJson(diagnostics);
    case "sarif":
      return formatSarif(diagnostics, options.skrullVersion);
    case "github":
      return formatGithub(diagnostics);
  }
}
