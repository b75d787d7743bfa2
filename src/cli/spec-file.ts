import { dirname, relative, resolve } from "pathe";
import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  sortDiagnostics,
} from "../diagnostics/diagnostic.js";
import { jsonDiagnostics } from "../diagnostics/format-json.js";
import { printable } from "../foundation/printable.js";
import { FILE_START } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { type Inputs, loadInputs } from "../inputs/load-inputs.js";
import type { Spec } from "../language/language.js";
import { Linter } from "../lint/linter.js";
import { withoutSuppressed } from "../lint/suppressions.js";
import { makePlan } from "../plan/make-plan.js";
import type { FitPlan, Plan } from "../plan/plan.js";
import type { PlanInputs } from "../plan/setup.js";
import type { Analysis, RunAnalysis } from "../semantics/analyze.js";
import type { Origins } from "../semantics/report.js";
import { analyzeFile, covered, showDiagnostics } from "./analysis.js";
import type { Told } from "./document.js";
import { withRuleFindings } from "./rule-findings.js";
import { lengthProgress, type Terminal } from "./terminal.js";

export interface PlannedSpec extends Pick<LoadedSpec, "spec" | "origins" | "planInputs"> {
  /** Absolute folder of the spec. */
  readonly folder: string;
  /** Path relative to the spec's folder to text, of the spec and what it imports. */
  readonly texts: Readonly<Record<string, string>>;
  readonly plan: Plan;
  readonly inputs: Inputs;
}

/** Which spec is meant, and by whom it is compiled. */
export interface SpecRequest {
  readonly path: string;
  /** Of the file's runs, if it has several. */
  readonly run?: string | undefined;
  /** Price of a GPU-hour, instead of the spec's. */
  readonly rate?: number | undefined;
  /** Whether a model that nobody has tested is checked first. */
  readonly checkModel?: boolean;
  readonly skrullVersion: string;
}

/** The run that was asked for; `undefined` after reporting why there is none. */
export function chooseRun(
  { runs, file }: Analysis,
  wanted: string | undefined,
  found: Diagnostic[],
): RunAnalysis | undefined {
  const place = { file, range: FILE_START };
  const names = runs.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const help =
    names.length > 0
      ? `Its runs: ${names.join(", ")}.`
      : "Leave --run out: the file is one spec, without named runs.";
  const chosen =
    wanted === undefined && runs.length === 1 ? runs[0] : runs.find(({ name }) => name === wanted);
  if (chosen) return chosen;
  if (wanted !== undefined)
    found.push(diagnostic("unknown-name", { what: "run", name: wanted }, place, { help }));
  else if (names.length > 0)
    found.push(diagnostic("run-not-chosen", { runs: names.join(", ") }, place));
  else found.push(diagnostic("nothing-to-run", {}, place));
  return undefined;
}

/** A checked spec with all that it names. */
export interface LoadedSpec {
  readonly folder: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly spec: Spec;
  readonly origins: Origins;
  readonly inputs: Inputs;
  readonly planInputs: PlanInputs;
}

/** What became of a spec, and all that was told of it. */
export interface Outcome<Result> {
  /** Absent where there are errors. */
  readonly result: Result | undefined;
  readonly told: Told;
}

/**
 * From a spec's path to what `use` makes of it. Diagnostics are shown as remarks, and returned.
 *
 * @param use adds its own diagnostics to the list
 * @param rules whether lint's rules are asked too; not where settings are tried that the spec does not have
 * @throws HostError
 */
export async function withSpec<Result>(
  host: Host,
  terminal: Terminal,
  request: SpecRequest,
  use: (loaded: LoadedSpec, found: Diagnostic[]) => Result | undefined,
  { rules }: { readonly rules: boolean },
): Promise<Outcome<Result>> {
  const analysis = await analyzeFile(host, request.path);
  const found: Diagnostic[] = [...analysis.diagnostics];
  const run = hasErrors(found) ? undefined : chooseRun(analysis, request.run, found);
  const loaded = run && (await loadSpec(host, terminal, request, analysis, run, found));
  const result = loaded && use(loaded, found);
  const linter = new Linter(host);
  const told =
    rules && run?.spec
      ? await withRuleFindings(linter, analysis, run, found)
      : await withoutSuppressed(analysis.documents, found);
  const { skrullVersion } = request;
  const shown = { format: "pretty", colour: false, skrullVersion } as const;
  const sources = [...analysis.documents, ...linter.sources];
  const sorted = sortDiagnostics(told);
  terminal.remark(showDiagnostics(sources, sorted, shown));
  return {
    result: hasErrors(told) ? undefined : result,
    told: jsonDiagnostics(covered(sources, sorted)),
  };
}

/** What became of a plan. */
export interface PlanOutcome extends Outcome<PlannedSpec> {
  /** Whether it fits, also where it is refused; absent where the spec or its inputs have errors. */
  readonly fit: FitPlan | undefined;
}

/** From a spec's path to its plan; as {@link withSpec}. @throws HostError */
export async function planFile(
  host: Host,
  terminal: Terminal,
  request: SpecRequest,
): Promise<PlanOutcome> {
  let fit: FitPlan | undefined;
  const planned = (loaded: LoadedSpec, found: Diagnostic[]) => {
    const { folder, texts, spec, origins, inputs, planInputs } = loaded;
    const result = makePlan(spec, origins, planInputs);
    fit = result.fit;
    found.push(...result.diagnostics);
    return result.plan && { folder, texts, plan: result.plan, inputs, spec, origins, planInputs };
  };
  const outcome = await withSpec(host, terminal, request, planned, { rules: true });
  return { ...outcome, fit };
}

async function loadSpec(
  host: Host,
  terminal: Terminal,
  { path, skrullVersion, rate, checkModel }: SpecRequest,
  analysis: Analysis,
  { spec: written, origins }: RunAnalysis,
  found: Diagnostic[],
): Promise<LoadedSpec | undefined> {
  if (!written) return undefined;
  const spec =
    rate === undefined ? written : { ...written, cluster: { ...written.cluster, gpu_hour: rate } };
  const folder = dirname(resolve(host.workingFolder, path));
  const named = analysis.documents.map(({ file, text }) => [
    relative(folder, resolve(host.workingFolder, file)),
    text,
  ]);
  const texts = Object.fromEntries(named);
  const told = (type: string) =>
    terminal.remark(`checking the model, as no ${printable(type)} like it was tested\n`);
  const progress = lengthProgress(terminal, () => host.now());
  const options = { progress, beforeCheck: checkModel ? told : undefined };
  const { inputs, diagnostics } = await loadInputs(host, folder, spec, origins, options);
  terminal.progress("");
  found.push(...diagnostics);
  if (!inputs) return undefined;
  const tokenizerSha256 = inputs.tokenizer.sha256;
  const planInputs = { ...inputs, tokenizerSha256, skrullVersion };
  return { folder, texts, spec, origins, inputs, planInputs };
}
