import { relative, resolve } from "pathe";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { formatJson } from "../diagnostics/format-json.js";
import { formatPretty } from "../diagnostics/format-pretty.js";
import { readText } from "../host/files.js";
import type { Host } from "../host/host.js";
import { type Analysis, analyze } from "../semantics/analyze.js";

// Apart from spec-file.ts: `lint` starts without the planner and all that it loads.

/** Reads and checks a spec. @throws HostError */
export function analyzeFile(host: Host, path: string): Analysis {
  const absolute = resolve(host.workingFolder, path);
  return analyze(relative(host.workingFolder, absolute) || path, readText(host, absolute));
}

/** Diagnostics of analysed files in one of the contract's formats. */
export function showDiagnostics(
  analyses: readonly Analysis[],
  diagnostics: readonly Diagnostic[],
  format: "pretty" | "json",
  colour: boolean,
): string {
  if (format === "json") return formatJson(diagnostics);
  const texts = new Map(analyses.map(({ file, text }) => [file, text]));
  return formatPretty(diagnostics, { colour, textOf: (file) => texts.get(file) });
}
