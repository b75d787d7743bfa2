import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import type { Host } from "../host/host.js";
import { type Changes, countOfChanges } from "../plan/changes.js";
import { savings } from "../plan/cheaper.js";
import { type Tuned, type TunedSetting, tune } from "../plan/tune.js";
import { type OutputFormat, refuse, withDocument } from "./document.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { type LoadedSpec, type SpecRequest, withSpec } from "./spec-file.js";
import type { Terminal } from "./terminal.js";
import { nothingFits, tuneReport } from "./tune-report.js";
import { type Written, writeChanges } from "./write-changes.js";

export interface TuneOptions extends SpecRequest {
  readonly format: OutputFormat;
  /** Write the chosen setting into the spec. */
  readonly write: boolean;
}

/** `skrull tune SPEC`: settings, ranked. */
export function tuneCommand(
  host: Host,
  terminal: Terminal,
  options: TuneOptions,
): Promise<ExitCode> {
  return withDocument(terminal, options.format, () => tuneSpec(host, terminal, options));
}

async function tuneSpec(
  host: Host,
  terminal: Terminal,
  { format, write, ...options }: TuneOptions,
): Promise<ExitCode> {
  const ranked = ({ spec, origins, planInputs }: LoadedSpec) => ({
    tuned: tune(spec, origins, planInputs),
    onGpu: planInputs.gpu.device === "cuda",
  });
  const { result, told } = await withSpec(host, terminal, options, ranked, { rules: false });
  if (!result) {
    refuse(terminal, format, told);
    return EXIT.findings;
  }
  const { tuned, onGpu } = result;
  const choice = tuned.settings.find(({ chosen }) => chosen);
  const changes = choice && countOfChanges(choice.changes) > 0 ? choice.changes : undefined;
  const written =
    write && changes ? await writeChanges(host, options.path, options.run, changes) : undefined;
  if (format === "json") terminal.out(jsonText({ ...documentOf(tuned, written), ...told }));
  else terminal.out(tuneReport(tuned, onGpu) + (write ? outcome(options.path, written) : ""));
  if (written?.ok === false)
    terminal.remark(`error: ${printable(options.path)} was not changed: ${written.problem}\n`);
  return choice && written?.ok !== false ? EXIT.clean : EXIT.findings;
}

function documentOf(tuned: Tuned, written: Written | undefined) {
  const { settings, batches, tried, relativeBand } = tuned;
  const fits = settings.some(({ trial }) => trial.fits);
  return {
    format_version: 1,
    ...(fits ? {} : { error: { code: "nothing-fits", message: nothingFits(tuned) } }),
    batches,
    tried,
    band: relativeBand,
    settings: settings.map(settingJson),
    savings: savings(tuned),
    ...(written?.ok ? { written: written.diff } : {}),
    ...(written?.ok === false ? { not_written: written.problem } : {}),
  };
}

function settingJson({ setting, current, chosen, trial, finish, changes }: TunedSetting) {
  const whose: { current: boolean; chosen: boolean; changes: Changes } = {
    current,
    chosen,
    changes,
  };
  if (!trial.fits || !finish) return { ...setting, ...whose, ...trial };
  const { performance, ...figures } = trial;
  const { seconds, gpu_hours, cost } = finish;
  const micro_batches = performance.micro_batches.mean;
  return { ...setting, ...whose, ...figures, micro_batches, seconds, gpu_hours, cost };
}

/** What became of the file. */
function outcome(path: string, written: Written | undefined): string {
  if (written === undefined) return `\n${printable(path)} is as it should be\n`;
  return written.ok ? `\nWritten into ${printable(path)}:\n${written.diff}` : "";
}
