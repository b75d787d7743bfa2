import {
  fullestPhase,
  type MemoryModel,
  type MemoryRow,
  peakBytes,
  rowsAt,
} from "../cost/memory-model.js";
import { formatBytes, formatCount } from "../foundation/format.js";
import { shardTokens } from "../schedule/time-and-memory.js";
import type { Origins, SpecReport } from "../semantics/report.js";
import { type FitProblem, fits, largestBucket } from "./fit.js";
import { leversThatFit } from "./levers.js";
import { MOMENTS } from "./memory-table.js";
import type { Setup } from "./setup.js";

/**
 * Reports a longest sequence, or model states, that the budget does not hold.
 *
 * @param advise whether to say what would help, which takes many trials
 */
export function checkFit(
  setup: Setup,
  report: SpecReport,
  fit: FitProblem,
  model: MemoryModel,
  bucket: number,
  { advise }: { readonly advise: boolean },
): void {
  const extra = () => (advise ? { help: advice(setup, fit) } : {});
  const fixed = peakBytes(model, 0);
  if (fixed > fit.budgetBytes) {
    const values = {
      needed: formatBytes(fixed),
      available: formatBytes(fit.budgetBytes),
      table: memoryText(model, 0),
    };
    report.at("states-exceed-budget", memoryPlace(setup.origins), values, extra());
  } else if (
    setup.spec.memory.bucket !== undefined &&
    peakBytes(model, bucket + 1) > fit.budgetBytes
  ) {
    report.at("bucket-exceeds-budget", "memory.bucket", {
      bucket: formatCount(bucket),
      needed: formatBytes(peakBytes(model, bucket + 1)),
      available: formatBytes(fit.budgetBytes),
      most: formatCount(largestBucket(fit, model)),
    });
  } else if (!fits(fit)) {
    const group = fit.setting.largestGroup;
    report.at(
      "sequence-too-long",
      setup.spec.memory.bucket === undefined ? "data.max_length" : "memory.bucket",
      {
        longest: formatCount(fit.longest),
        shard: formatCount(shardTokens(fit.longest, group)),
        context: group,
        bucket: formatCount(bucket),
        table: memoryText(model, bucket + 1),
      },
      extra(),
    );
  }
}

/** What says how much memory there is: a budget, or the GPU; else the model that it is too small for. */
export function memoryPlace(origins: Origins): string {
  const places = ["memory.budget", "cluster.gpu", "model.label", "model"];
  return places.find((path) => origins.has(path)) ?? "cluster";
}

/** Changes that make it fit, or how near the nearest setting is. */
function advice(setup: Setup, fit: FitProblem): string {
  const { advice: found, nearest } = leversThatFit(setup);
  const [only] = found;
  if (only === undefined) {
    const least = `${formatBytes(nearest.bytes)} of ${formatBytes(fit.budgetBytes)} a rank may use`;
    return nearest.text === ""
      ? `No change of the settings makes it fit; it needs ${least}.`
      : `No change of the settings makes it fit. The nearest needs ${least}: ${nearest.text}.`;
  }
  const texts = found.map(({ text }) => text).join("; ");
  return `${found.length === 1 ? "This would do" : "Any one of these would do"}: ${texts}.`;
}

/** Where memory goes when a micro-batch of `tokens` fills it most, in one sentence. */
function memoryText(model: MemoryModel, tokens: number): string {
  const phase = fullestPhase(model, tokens);
  const list = (rows: readonly MemoryRow[]) =>
    rowsAt(phase, rows)
      .filter(({ bytes }) => bytes !== 0)
      .map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`)
      .join(", ");
  const each = phase === "step" ? "" : `; then for every token: ${list(model.perToken)}`;
  return `Of a rank's memory ${MOMENTS[phase]}: ${list(model.fixed)}${each}.`;
}
