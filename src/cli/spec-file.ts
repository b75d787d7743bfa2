import { dirname, relative, resolve } from "pathe";
import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  sortDiagnostics,
} from "../diagnostics/diagnostic.js";
import { FILE_START } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { type Inputs, loadInputs } from "../inputs/load-inputs.js";
import type { Spec } from "../language/language.js";
import secretInSpec from "../lint/rules/secret-in-spec.rule.js";
import { withoutSuppressed } from "../lint/suppressions.js";
import { makePlan } from "../plan/make-plan.js";
import type { Plan } from "../plan/plan.js";
import type { PlanInputs } from "../plan/setup.js";
import type { Analysis, RunAnalysis } from "../semantics/analyze.js";
import type { Origins } from "../semantics/report.js";
import { analyzeFile, showDiagnostics } from "./analysis.js";
import { lengthProgress, type Terminal } from "./terminal.js";

export interface PlannedSpec {
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
  readonly skrullVersion: string;
}

/** The run that was asked for; `undefined` after reporting why there is none. */
function chooseRun(
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

/**
 * From a spec's path to what `use` makes of it. Diagnostics are shown as remarks; `undefined` where there are errors.
 *
 * @param use adds its own diagnostics to the list
 * @throws HostError
 */
export async function withSpec<Result>(
  host: Host,
  terminal: Terminal,
  request: SpecRequest,
  use: (loaded: LoadedSpec, found: Diagnostic[]) => Result | undefined,
): Promise<Result | undefined> {
  const analysis = await analyzeFile(host, request.path);
  const found: Diagnostic[] = [...analysis.diagnostics, ...secretsIn(analysis)];
  const loaded = await loadSpec(host, terminal, request, analysis, found);
  const result = loaded && use(loaded, found);
  const left = await withoutSuppressed(analysis.documents, found);
  const { skrullVersion } = request;
  const shown = { format: "pretty", colour: false, skrullVersion } as const;
  terminal.remark(showDiagnostics(analysis.documents, sortDiagnostics(left), shown));
  return hasErrors(found) ? undefined : result;
}

/** What looks like a credential goes into plans and runs as it is: whoever makes them is told, and not stopped. */
const secretsIn = ({ file, text, documents }: Analysis): readonly Diagnostic[] =>
  secretInSpec
    .run({ file, text, documents }, {})
    .map((found) => ({ ...found, severity: "warning" as const }));

/** From a spec's path to its plan; as {@link withSpec}. @throws HostError */
export async function planFile(
  host: Host,
  terminal: Terminal,
  request: SpecRequest,
): Promise<PlannedSpec | undefined> {
  return withSpec(host, terminal, request, (loaded, found) => {
    const { folder, texts, spec, origins, inputs, planInputs } = loaded;
    const result = makePlan(spec, origins, planInputs);
    found.push(...result.diagnostics);
    return result.plan && { folder, texts, plan: result.plan, inputs };
  });
}

async function loadSpec(
  host: Host,
  terminal: Terminal,
  { path, run, skrullVersion }: SpecRequest,
  analysis: Analysis,
  found: Diagnostic[],
): Promise<LoadedSpec | undefined> {
  if (hasErrors(found)) return undefined;
  const { spec, origins } = chooseRun(analysis, run, found) ?? {};
  if (!spec || !origins) return undefined;
  const folder = dirname(resolve(host.workingFolder, path));
  const named = analysis.documents.map(({ file, text }) => [
    relative(folder, resolve(host.workingFolder, file)),
    text,
  ]);
  const texts = Object.fromEntries(named);
  const progress = lengthProgress(terminal, () => host.now());
  const { inputs, diagnostics } = await loadInputs(host, folder, spec, origins, progress);
  terminal.progress("");
  found.push(...diagnostics);
  if (!inputs) return undefined;
  const tokenizerSha256 = inputs.tokenizer.sha256;
  const planInputs = { ...inputs, tokenizerSha256, skrullVersion };
  return { folder, texts, spec, origins, inputs, planInputs };
}
