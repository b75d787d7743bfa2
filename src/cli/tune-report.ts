import {
  formatAmount,
  formatBytes,
  formatCount,
  formatSeconds,
  formatShare,
} from "../foundation/format.js";
import { printable } from "../foundation/printable.js";
import { changesText, countOfChanges } from "../plan/changes.js";
import { savings } from "../plan/cheaper.js";
import type { Setting } from "../plan/settings.js";
import type { Tuned, TunedSetting } from "../plan/tune.js";
import { withinBand } from "../plan/within-band.js";
import { bandText, hoursName } from "./plan-answers.js";
import { savingLines } from "./savings.js";
import { tableLines } from "./table.js";

/** What the figures of offloaded settings leave out. */
const OFFLOAD_NOTE =
  "offload: the time of the host's steps and transfers is not predicted; expect more\n";

/** Settings that are shown to people; JSON has them all. */
const SHOWN = 12;

/** What `tune` found, for people. */
export function tuneReport(tuned: Tuned, onGpu: boolean): string {
  const { settings } = tuned;
  const fitting = settings.filter(({ trial }) => trial.fits);
  const [best] = fitting;
  if (!best) return `${nothingFits(tuned)}\n`;
  const hours = hoursName(onGpu);
  const shown = fitting.filter(({ current, chosen }, n) => n < SHOWN || current || chosen);
  const priced = best.finish?.cost !== null;
  const head = ["CP", "ZeRO", "checkpointing", "C", "step", "tokens/s", hours];
  const lines = tableLines([
    [...head, ...(priced ? ["cost"] : []), ""],
    ...shown.map((setting) => row(setting, priced)),
  ]);
  return [
    `Predicted for ${fitting.length} settings that fit, of ${tuned.tried} (modelled, not measured),\n`,
    `on the first ${tuned.batches} global batches of the run; plan samples more\n\n`,
    ...lines.map((line) => `${line}\n`),
    "\n",
    shown.some(({ setting }) => setting.offload !== "none") ? OFFLOAD_NOTE : "",
    fitting.length > shown.length ? `${fitting.length - shown.length} more in --format json\n` : "",
    untold(fitting, tuned.relativeBand),
    verdict(tuned),
    ...savingLines(savings(tuned), hours).map((line) => `${line}\n`),
  ].join("");
}

/** How near the nearest setting is, and what would do. */
export function nothingFits({ settings, tried, levers }: Tuned): string {
  const [nearest] = settings;
  const none = `None of the ${tried} settings fits.`;
  if (!nearest || nearest.trial.fits) return none;
  const { needed_bytes: needed, available_bytes: available, problem } = nearest.trial;
  const near =
    needed > available
      ? `needs ${formatBytes(needed)} of the ${formatBytes(available)} that a rank may use`
      : `has another problem: ${printable(problem)}`;
  const would = (levers?.advice ?? []).map(({ text }) => `\n  ${text}`).join("");
  return `${none} The nearest (${named(nearest.setting)}) ${near}.${would === "" ? "" : ` What would fit:${would}`}`;
}

const named = ({ context, zero, checkpointing, bucket, offload }: Setting): string =>
  `context = ${context}, zero = ${zero}, checkpointing = ${checkpointing}, ${bucket === null ? "no bucket" : `bucket = ${bucket}`}${offload === "none" ? "" : `, offload = ${offload}`}`;

function row(
  { setting, trial, finish, current, chosen }: TunedSetting,
  priced: boolean,
): readonly string[] {
  if (!trial.fits || !finish) return [];
  return [
    String(setting.context),
    String(setting.zero),
    [setting.checkpointing, ...others(setting)].join(", "),
    formatCount(trial.bucket),
    formatSeconds(trial.step_seconds),
    formatCount(trial.tokens_per_second),
    formatAmount(finish.gpu_hours),
    ...(priced ? [formatAmount(finish.cost ?? 0)] : []),
    current ? "<- spec" : chosen ? "<- take" : "",
  ];
}

/** What has no column of its own, where it is not as usual. */
function others({ offload, kernels, attention, gradients, rank }: Setting): readonly string[] {
  return [
    ...(kernels === "torch" ? [] : [kernels]),
    ...(attention === "auto" ? [] : [attention]),
    ...(gradients === "bf16" ? ["bf16 gradients"] : []),
    ...(rank === 0 ? [] : [`rank ${rank}`]),
    ...(offload === "none" ? [] : [`offload ${offload}`]),
  ];
}

/** How many of the first are not told apart. */
function untold(fitting: readonly TunedSetting[], band: number): string {
  const [best] = fitting;
  const near = fitting.filter(
    (one) => one.same === best?.same && withinBand(speed(one), speed(best), band),
  );
  if (near.length < 2) return "";
  return `The first ${near.length} differ by less than the ${bandText(band)} that predictions may be off.\n`;
}

const speed = (one: TunedSetting | undefined): number =>
  one?.trial.fits ? one.trial.tokens_per_second : 0;

/** What to change, and by how much it helps. */
function verdict({ settings, relativeBand }: Tuned): string {
  const chosen = settings.find((one) => one.chosen);
  const current = settings.find((one) => one.current);
  if (!chosen) return "";
  if (countOfChanges(chosen.changes) === 0)
    return "The spec's own setting is within 2% of the best: there is nothing to change.\n";
  const change = changesText(chosen.changes);
  if (!current?.trial.fits) return `Take ${change}.\n`;
  const gain = speed(chosen) / speed(current);
  const near = withinBand(speed(chosen), speed(current), relativeBand);
  return [
    `${gain.toFixed(2)} x the spec's tokens/s:\n${change}.\n`,
    near ? "That is less than predictions may be off: measure both.\n" : "",
    rounding(settings, chosen),
  ].join("");
}

/** What gradients in the model's own precision would gain, which is not taken unasked. */
function rounding(settings: readonly TunedSetting[], chosen: TunedSetting): string {
  if (chosen.setting.gradients === "bf16") return "";
  const lower = settings.filter(
    ({ setting }) => setting.gradients === "bf16" && setting.rank === chosen.setting.rank,
  );
  const gain = Math.max(0, ...lower.map(speed)) / speed(chosen) - 1;
  return gain < 0.02
    ? ""
    : `With gradients = bf16, ${formatShare(gain)} faster, and rounded in every micro-batch.\n`;
}
