import { formatBytes, formatCount, formatSeconds } from "../foundation/format.js";
import { jsonText } from "../foundation/json.js";
import { printable } from "../foundation/printable.js";
import type { Host } from "../host/host.js";
import { type Tuned, type TunedSetting, tune } from "../plan/tune.js";
import { type OutputFormat, refuse, withDocument } from "./document.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { type LoadedSpec, type SpecRequest, withSpec } from "./spec-file.js";
import { tableLines } from "./table.js";
import type { Terminal } from "./terminal.js";

/** What the figures of offloaded settings leave out. */
const OFFLOAD_NOTE =
  "offload: the time of the host's steps and transfers is not predicted; expect more\n";

/** Settings that are shown to people; JSON has them all. */
const SHOWN = 12;

/** `skrull tune SPEC`: parallel settings, ranked. */
export function tuneCommand(
  host: Host,
  terminal: Terminal,
  options: SpecRequest & { readonly format: OutputFormat },
): Promise<ExitCode> {
  return withDocument(terminal, options.format, () => tuneSpec(host, terminal, options));
}

async function tuneSpec(
  host: Host,
  terminal: Terminal,
  { format, ...options }: SpecRequest & { readonly format: OutputFormat },
): Promise<ExitCode> {
  const ranked = ({ spec, origins, planInputs }: LoadedSpec) => tune(spec, origins, planInputs);
  const { result: tuned, told } = await withSpec(host, terminal, options, ranked, { rules: false });
  if (!tuned) {
    refuse(terminal, format, told);
    return EXIT.findings;
  }
  const fits = tuned.settings.some(({ trial }) => trial.fits);
  const error = fits ? {} : { error: { code: "nothing-fits", message: nothingFits(tuned) } };
  const settings = tuned.settings.map(({ trial, ...setting }) => ({ ...setting, ...trial }));
  terminal.out(
    format === "json"
      ? jsonText({ format_version: 1, ...error, settings, ...told })
      : report(tuned),
  );
  return fits ? EXIT.clean : EXIT.findings;
}

/** How near the nearest setting is, and what would do. */
function nothingFits({ settings, levers }: Tuned): string {
  const [nearest] = settings;
  const none = `None of the ${settings.length} settings fits.`;
  if (!nearest || nearest.trial.fits) return none;
  const { needed_bytes: needed, available_bytes: available, problem } = nearest.trial;
  const near =
    needed > available
      ? `needs ${formatBytes(needed)} of the ${formatBytes(available)} that a rank may use`
      : `has another problem: ${printable(problem)}`;
  const would = (levers?.advice ?? []).map(({ text }) => `\n  ${text}`).join("");
  return `${none} The nearest (${named(nearest)}) ${near}.${would === "" ? "" : ` What would fit:${would}`}`;
}

const named = ({ context, zero, checkpointing, bucket, offload }: TunedSetting): string =>
  `context = ${context}, zero = ${zero}, checkpointing = ${checkpointing}, ${bucket === null ? "no bucket" : `bucket = ${bucket}`}${offload === "none" ? "" : `, offload = ${offload}`}`;

function report(tuned: Tuned): string {
  const { settings } = tuned;
  const fitting = settings.filter(({ trial }) => trial.fits);
  const [best] = fitting;
  if (!best) return `${nothingFits(tuned)}\n`;
  const shown = fitting.filter((setting, n) => n < SHOWN || setting.current);
  const head = ["CP", "ZeRO", "checkpointing", "C", "memory", "step", "tokens/s", "cost", ""];
  const offloads = shown.some(({ offload }) => offload !== "none");
  const lines = tableLines([head, ...shown.map((setting) => row(setting, best))]);
  return [
    `Predicted for ${fitting.length} settings that fit, of ${settings.length} (modelled, not measured),\n`,
    `on the first ${tuned.batches} global batches of the run; plan samples more\n\n`,
    ...lines.map((line) => `${line}\n`),
    "\ncost: time per token relative to the first\n",
    offloads ? OFFLOAD_NOTE : "",
    fitting.length > shown.length ? `${fitting.length - shown.length} more in --format json\n` : "",
    verdict(fitting, best),
  ].join("");
}

function row({ trial, current, ...setting }: TunedSetting, best: TunedSetting): readonly string[] {
  if (!trial.fits || !best.trial.fits) return [];
  return [
    String(setting.context),
    String(setting.zero),
    setting.offload === "none"
      ? setting.checkpointing
      : `${setting.checkpointing}, ${setting.offload} offloaded`,
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
  const change = named(best);
  if (!current?.trial.fits || !best.trial.fits) return `Best: ${change}.\n`;
  const gain = best.trial.tokens_per_second / current.trial.tokens_per_second;
  return gain < 1.02
    ? "The spec's own setting is within 2% of the best.\n"
    : `${gain.toFixed(2)} x the spec's tokens/s:\n${change}.\n`;
}
