import { formatBytes, formatCount, formatSeconds } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import type { Host } from "../host/host.js";
import { TRIED_BATCHES, type TunedSetting, tune } from "../plan/tune.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { type LoadedSpec, type SpecRequest, withSpec } from "./spec-file.js";
import { tableLines } from "./table.js";
import type { Terminal } from "./terminal.js";

/** Settings that are shown to people; JSON has them all. */
const SHOWN = 12;

/** `skrull tune SPEC`: parallel settings, ranked. @throws HostError */
export async function tuneCommand(
  host: Host,
  terminal: Terminal,
  options: SpecRequest & { readonly format: "pretty" | "json" },
): Promise<ExitCode> {
  const ranked = ({ spec, origins, planInputs }: LoadedSpec) => tune(spec, origins, planInputs);
  const tuned = await withSpec(host, terminal, options, ranked, { rules: false });
  if (!tuned) return EXIT.findings;
  const settings = tuned.map(({ trial, ...setting }) => ({ ...setting, ...trial }));
  terminal.out(
    options.format === "json" ? jsonText({ format_version: 1, settings }) : report(tuned),
  );
  return tuned.some(({ trial }) => trial.fits) ? EXIT.clean : EXIT.findings;
}

function report(tuned: readonly TunedSetting[]): string {
  const fitting = tuned.filter(({ trial }) => trial.fits);
  const [best] = fitting;
  if (!best) {
    const problem = tuned[0]?.trial;
    const reason = problem && !problem.fits ? printable(problem.problem) : "";
    return `None of the ${tuned.length} settings fits. The first: ${reason}\n`;
  }
  const shown = fitting.filter((setting, n) => n < SHOWN || setting.current);
  const head = ["CP", "ZeRO", "checkpointing", "C", "memory", "step", "tokens/s", "cost", ""];
  const lines = tableLines([head, ...shown.map((setting) => row(setting, best))]);
  return [
    `Predicted for ${fitting.length} settings that fit, of ${tuned.length} (modelled, not measured),\n`,
    `on the first ${TRIED_BATCHES} global batches of the run; plan looks at more\n\n`,
    ...lines.map((line) => `${line}\n`),
    "\ncost: time per token over the first's\n",
    fitting.length > shown.length ? `${fitting.length - shown.length} more in --format json\n` : "",
    verdict(fitting, best),
  ].join("");
}

function row({ trial, current, ...setting }: TunedSetting, best: TunedSetting): readonly string[] {
  if (!trial.fits || !best.trial.fits) return [];
  return [
    String(setting.context),
    String(setting.zero),
    setting.checkpointing,
    formatCount(trial.bucket),
    formatBytes(trial.peak_bytes),
    formatSeconds(trial.step_seconds),
    formatCount(trial.tokens_per_second),
    `${(best.trial.tokens_per_second / trial.tokens_per_second).toFixed(2)} x`,
    current ? "<- spec" : "",
  ];
}

/** What to change, and by how much it helps. */
function verdict(fitting: readonly TunedSetting[], best: TunedSetting): string {
  const current = fitting.find((setting) => setting.current);
  const { context, zero, checkpointing, bucket } = best;
  const size = bucket === null ? "no bucket" : `bucket = ${bucket}`;
  const change = `context = ${context}, zero = ${zero}, checkpointing = ${checkpointing}, ${size}`;
  if (!current?.trial.fits || !best.trial.fits) return `Best: ${change}.\n`;
  const gain = best.trial.tokens_per_second / current.trial.tokens_per_second;
  return gain < 1.02
    ? "The spec's own setting is within 2 % of the best.\n"
    : `${gain.toFixed(2)} x the spec's tokens/s:\n${change}.\n`;
}
