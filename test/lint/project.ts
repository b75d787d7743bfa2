import { dirname, join } from "node:path";
import type { Diagnostic } from "../../src/diagnostics/diagnostic.js";
import type { Host } from "../../src/host/host.js";
import { MemoryHost } from "../../src/host/memory-host.js";
import { importLoader } from "../../src/inputs/import-loader.js";
import { loadInputs } from "../../src/inputs/load-inputs.js";
import { Linter } from "../../src/lint/linter.js";
import { analyze } from "../../src/semantics/analyze.js";
import { readYaml } from "../../src/syntax/yaml/read-yaml.js";
import { diskHost } from "../disk-host.js";

export type Files = Readonly<Record<string, string>>;

/** A host with these files in its working folder. */
export const hostOf = (files: Files): MemoryHost =>
  new MemoryHost(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`/project/${name}`, text])),
  );

/** With what it imports. */
const analyzeText = (host: Host, file: string, text: string) => {
  const folder = dirname(join(host.workingFolder, file));
  return analyze(file, text, { yaml: readYaml, load: importLoader(host, folder) });
};

/** Counts the tokens of a spec's data, as `plan` does, so that lint knows them. */
export async function measure(host: Host, file: string, text: string): Promise<void> {
  const analysis = analyzeText(host, file, text);
  for (const { spec, origins } of analysis.runs) {
    if (!spec) throw new Error(`${file} is not sound`);
    await loadInputs(host, host.workingFolder, spec, origins);
  }
}

/** What lint says of a file on a host. */
export async function lint(host: Host, file: string): Promise<readonly Diagnostic[]> {
  const text = new TextDecoder().decode(host.readBytes(join(host.workingFolder, file)));
  const linter = new Linter(host);
  const { diagnostics } = await linter.lint(analyzeText(host, file, text));
  return [...linter.diagnostics, ...diagnostics];
}

/** What lint says of `spec.skrull` among these files, with its data measured or not. */
export async function lintProject(
  files: Files,
  { measured = false } = {},
): Promise<readonly Diagnostic[]> {
  const host = measured ? diskHost(files) : hostOf(files);
  if (measured) await measure(host, "spec.skrull", files["spec.skrull"] ?? "");
  return lint(host, "spec.skrull");
}
