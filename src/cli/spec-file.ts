import { dirname, relative, resolve } from "pathe";
import { type Diagnostic, hasErrors, sortDiagnostics } from "../diagnostics/diagnostic.js";
import { formatJson } from "../diagnostics/format-json.js";
import { formatPretty } from "../diagnostics/format-pretty.js";
import { readText } from "../host/files.js";
import type { Host } from "../host/host.js";
import { type Inputs, loadInputs } from "../inputs/load-inputs.js";
import { buildPlan } from "../plan/build-plan.js";
import type { Plan } from "../plan/plan.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import { lengthProgress, type Terminal } from "./terminal.js";

export interface PlannedSpec {
  /** Absolute folder of the spec. */
  readonly folder: string;
  readonly text: string;
  readonly plan: Plan;
  readonly inputs: Inputs;
}

/** Reads and checks a spec. @throws HostError */
export function analyzeFile(host: Host, path: string): Analysis {
  const absolute = resolve(host.workingFolder, path);
  return analyze(relative(host.workingFolder, absolute) || path, readText(host, absolute));
}

/**
 * From a spec's path to its plan. Diagnostics are shown as remarks; `undefined` where there are errors.
 *
 * @throws HostError
 */
export async function planFile(
  host: Host,
  terminal: Terminal,
  path: string,
  skrullVersion: string,
): Promise<PlannedSpec | undefined> {
  const analysis = analyzeFile(host, path);
  const folder = dirname(resolve(host.workingFolder, path));
  const found: Diagnostic[] = [...analysis.diagnostics];
  const planned =
    analysis.spec && (await planSpec(host, terminal, folder, analysis, found, skrullVersion));
  terminal.remark(showDiagnostics([analysis], sortDiagnostics(found), "pretty", false));
  return hasErrors(found) ? undefined : planned;
}

async function planSpec(
  host: Host,
  terminal: Terminal,
  folder: string,
  { spec, origins, text }: Analysis,
  found: Diagnostic[],
  skrullVersion: string,
): Promise<PlannedSpec | undefined> {
  if (!spec) return undefined;
  const progress = lengthProgress(terminal, () => host.now());
  const loaded = await loadInputs(host, folder, spec, origins, progress);
  terminal.progress("");
  found.push(...loaded.diagnostics);
  const { inputs } = loaded;
  if (!inputs) return undefined;
  const tokenizerSha256 = inputs.tokenizer.sha256;
  const result = buildPlan(spec, origins, { ...inputs, tokenizerSha256, skrullVersion });
  found.push(...result.diagnostics);
  return result.plan && { folder, text, plan: result.plan, inputs };
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
