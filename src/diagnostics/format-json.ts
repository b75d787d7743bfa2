import { jsonText } from "../foundation/json.js";
import type { Diagnostic } from "./diagnostic.js";

/** Diagnostics as they stand in every JSON document. */
export function jsonDiagnostics(diagnostics: readonly Diagnostic[]) {
  const count = (severity: string) => diagnostics.filter((d) => d.severity === severity).length;
  return {
    diagnostics: diagnostics.map(
      ({ code, severity, message, file, range, why, help, related, fix }) => ({
        code,
        severity,
        message,
        file,
        range,
        why,
        ...(help === undefined ? {} : { help }),
        ...(related ? { related } : {}),
        ...(fix ? { fix } : {}),
      }),
    ),
    summary: { errors: count("error"), warnings: count("warning") },
  };
}

/** The contract's `lint --format json`. */
export function formatJson(diagnostics: readonly Diagnostic[]): string {
  return jsonText({ format_version: 1, ...jsonDiagnostics(diagnostics) });
}
