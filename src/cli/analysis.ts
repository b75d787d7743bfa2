import { dirname, relative, resolve } from "pathe";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { formatJson } from "../diagnostics/format-json.js";
import { formatPretty } from "../diagnostics/format-pretty.js";
import { readText } from "../host/files.js";
import type { Host } from "../host/host.js";
import { importLoader } from "../inputs/import-loader.js";
import type { Source } from "../lint/subject.js";
import { type Analysis, analyze } from "../semantics/analyze.js";

// Apart from spec-file.ts: `lint` starts without the planner and all that it loads.

/** Reads and checks a spec with what it imports. @throws HostError */
export async function analyzeFile(host: Host, path: string): Promise<Analysis> {
  const absolute = resolve(host.workingFolder, path);
  const file = relative(host.workingFolder, absolute) || path;
  const text = readText(host, absolute);
  const load = importLoader(host, dirname(absolute));
  const analysis = analyze(file, text, { load });
  if (!analysis.wantsYaml) return analysis;
  // Few specs are written in YAML: the others start without its parser.
  const { readYaml } = await import("../syntax/yaml/read-yaml.js");
  return analyze(file, text, { load, yaml: readYaml });
}

/** Diagnostics of analysed files in one of the contract's formats. */
export function showDiagnostics(
  sources: readonly Source[],
  diagnostics: readonly Diagnostic[],
  format: "pretty" | "json",
  colour: boolean,
): string {
  if (format === "json") return formatJson(diagnostics);
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  return formatPretty(diagnostics, { colour, textOf: (file) => texts.get(file) });
}
