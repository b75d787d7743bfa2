import { dirname, relative, resolve } from "pathe";
import { type Diagnostic, hasErrors, sortDiagnostics } from "../diagnostics/diagnostic.js";
import { formatJson } from "../diagnostics/format-json.js";
import { formatPretty } from "../diagnostics/format-pretty.js";
import { readText } from "../host/files.js";
import type { Host } from "../host/host.js";
import { type Inputs, loadInputs } from "../inputs/load-inputs.js";
import type { Spec } from "../language/language.js";
import type { Source } from "../lint/linter.js";
import type { PlanInputs } from "../plan/build-plan.js";
import { makePlan } from "../plan/make-plan.js";
import type { Plan } from "../plan/plan.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import type { Origins } from "../semantics/report.js";
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

/** A checked spec with all that it names. */
export interface LoadedSpec {
  readonly folder: string;
  readonly text: string;
  readonly spec: Spec;
  readonly origins: Origins;
  readonly inputs: Inputs;
  readonly planInputs: PlanInputs;
}

/**
 * From a spec's path to what `use` makes of it. Diagnostics are shown as remarks; `undefined` where there are errors.
 *
 * @param use adds its own diagnostics to the list
 * @throws HostError
 */
export async function withSpec<Result>(
  host: Host,
  terminal: Terminal,
  path: string,
  skrullVersion: string,
  use: (loaded: LoadedSpec, found: Diagnostic[]) => Result | undefined,
): Promise<Result | undefined> {
  const analysis = analyzeFile(host, path);
  const found: Diagnostic[] = [...analysis.diagnostics];
  const loaded = await loadSpec(host, terminal, path, analysis, found, skrullVersion);
  const result = loaded && use(loaded, found);
  terminal.remark(showDiagnostics([analysis], sortDiagnostics(found), "pretty", false));
  return hasErrors(found) ? undefined : result;
}

/** From a spec's path to its plan; as {@link withSpec}. @throws HostError */
export async function planFile(
  host: Host,
  terminal: Terminal,
  path: string,
  skrullVersion: string,
): Promise<PlannedSpec | undefined> {
  return withSpec(host, terminal, path, skrullVersion, (loaded, found) => {
    const { folder, text, spec, origins, inputs, planInputs } = loaded;
    const result = makePlan(spec, origins, planInputs);
    found.push(...result.diagnostics);
    return result.plan && { folder, text, plan: result.plan, inputs };
  });
}

async function loadSpec(
  host: Host,
  terminal: Terminal,
  path: string,
  { spec, origins, text }: Analysis,
  found: Diagnostic[],
  skrullVersion: string,
): Promise<LoadedSpec | undefined> {
  if (!spec) return undefined;
  const folder = dirname(resolve(host.workingFolder, path));
  const progress = lengthProgress(terminal, () => host.now());
  const { inputs, diagnostics } = await loadInputs(host, folder, spec, origins, progress);
  terminal.progress("");
  found.push(...diagnostics);
  if (!inputs) return undefined;
  const tokenizerSha256 = inputs.tokenizer.sha256;
  const planInputs = { ...inputs, tokenizerSha256, skrullVersion };
  return { folder, text, spec, origins, inputs, planInputs };
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
