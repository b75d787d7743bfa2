import { dirname, relative, resolve } from "pathe";
import { coveredDiagnostic } from "../diagnostics/covered.js";
import { type Diagnostic, diagnostic } from "../diagnostics/diagnostic.js";
import {
  type DiagnosticFormat,
  type FormatOptions,
  formatDiagnostics,
} from "../diagnostics/formats.js";
import { type Decoded, decodeUtf8 } from "../foundation/encoding.js";
import { secretCover } from "../foundation/secrets.js";
import { LineMap } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { importLoader } from "../inputs/import-loader.js";
import type { Source } from "../lint/subject.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import { isYamlPath } from "../semantics/document.js";

// Apart from spec-file.ts: `lint` starts without the planner and all that it loads.

/** Reads and checks a spec with what it imports. @throws HostError */
export async function analyzeFile(host: Host, path: string): Promise<Analysis> {
  const { text, problem } = decodeUtf8(host.readBytes(resolve(host.workingFolder, path)));
  return problem
    ? wronglyEncoded(shownPath(host, path), text, problem)
    : analyzeText(host, path, text);
}

/** Checks a text as if it were what a spec's file holds. */
export async function analyzeText(host: Host, path: string, text: string): Promise<Analysis> {
  const file = shownPath(host, path);
  const load = importLoader(host, dirname(resolve(host.workingFolder, path)));
  // Few specs are written in YAML: the others start without its parser.
  const yaml = async () => (await import("../syntax/yaml/read-yaml.js")).readYaml;
  if (isYamlPath(file)) return analyze(file, text, { load, yaml: await yaml() });
  const analysis = analyze(file, text, { load });
  return analysis.wantsYaml ? analyze(file, text, { load, yaml: await yaml() }) : analysis;
}

/** As diagnostics have it: relative to the working folder. */
const shownPath = (host: Host, path: string): string =>
  relative(host.workingFolder, resolve(host.workingFolder, path)) || path;

function wronglyEncoded(
  file: string,
  text: string,
  { what, offset }: NonNullable<Decoded["problem"]>,
): Analysis {
  const range = new LineMap(text).range(offset, offset + 1);
  const found = diagnostic("wrong-encoding", { problem: what }, { file, range });
  const nothing = analyze(file, "");
  const documents = nothing.documents.map((document) => ({ ...document, text }));
  return { ...nothing, text, documents, runs: [], diagnostics: [found] };
}

/** Diagnostics of analysed files, without the credentials that they may quote. */
export function covered(
  sources: readonly Source[],
  diagnostics: readonly Diagnostic[],
): readonly Diagnostic[] {
  const cover = secretCover(sources.map(({ text }) => text));
  return diagnostics.map((found) => coveredDiagnostic(found, cover));
}

/** Diagnostics of analysed files in one of the contract's formats. */
export function showDiagnostics(
  sources: readonly Source[],
  diagnostics: readonly Diagnostic[],
  options: { readonly format: DiagnosticFormat } & Omit<FormatOptions, "textOf">,
): string {
  const texts = new Map(sources.map(({ file, text }) => [file, text]));
  const cover = secretCover([...texts.values()]);
  const textOf = (file: string) => {
    const text = texts.get(file);
    return text === undefined ? undefined : cover(text);
  };
  return formatDiagnostics(covered(sources, diagnostics), options.format, { ...options, textOf });
}
