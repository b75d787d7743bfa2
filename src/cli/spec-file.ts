import { dirname, relative, resolve } from "pathe";
import {
  type Diagnostic,
  diagnostic,
  hasErrors,
  sortDiagnostics,
} from "../diagnostics/diagnostic.js";
import {
  type DiagnosticFormat,
  type FormatOptions,
  formatDiagnostics,
} from "../diagnostics/formats.js";
import { type Decoded, decodeUtf8 } from "../foundation/encoding.js";
import { LineMap } from "../foundation/text.js";
import type { Host } from "../host/host.js";
import { type Inputs, loadInputs } from "../inputs/load-inputs.js";
import type { Spec } from "../language/language.js";
import type { PlanInputs } from "../plan/build-plan.js";
import { makePlan } from "../plan/make-plan.js";
import type { Plan } from "../plan/plan.js";
import { type Analysis, analyze } from "../semantics/analyze.js";
import { Origins } from "../semantics/report.js";
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
  const file = relative(host.workingFolder, absolute) || path;
  const { text, problem } = decodeUtf8(host.readBytes(absolute));
  return problem ? wronglyEncoded(file, text, problem) : analyze(file, text);
}

function wronglyEncoded(
  file: string,
  text: string,
  { what, offset }: NonNullable<Decoded["problem"]>,
): Analysis {
  const lines = new LineMap(text);
  const place = { file, range: lines.range(offset, offset + 1) };
  const found = diagnostic("wrong-encoding", { problem: what }, place);
  return { file, text, origins: new Origins(file, lines), diagnostics: [found] };
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
  const shown = { format: "pretty", colour: false, skrullVersion } as const;
  terminal.remark(showDiagnostics([analysis], sortDiagnostics(found), shown));
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
  analyses: readonly Analysis[],
  diagnostics: readonly Diagnostic[],
  options: { readonly format: DiagnosticFormat } & Omit<FormatOptions, "textOf">,
): string {
  const texts = new Map(analyses.map(({ file, text }) => [file, text]));
  return formatDiagnostics(diagnostics, options.format, {
    ...options,
    textOf: (file) => texts.get(file),
  });
}
