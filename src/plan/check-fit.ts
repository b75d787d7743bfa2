import { bucketFor, peakBytes } from "../cost/bucket.js";
import { type MemoryModel, totalBytes } from "../cost/memory.js";
import { formatBytes, formatCount } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import { type FitProblem, fits, leversThatFit, longestShard } from "./levers.js";
import type { Setup } from "./setup.js";

/** Reports a longest sequence, or model states, that the budget does not hold, and what would help. */
export function checkFit(
  setup: Setup,
  report: SpecReport,
  fit: FitProblem,
  model: MemoryModel,
  bucket: number,
): void {
  const table = memoryTable(model);
  const place = setup.origins.has("memory.budget") ? "memory.budget" : "parallel";
  const levers = () => {
    const found = leversThatFit(fit);
    if (found.length === 0)
      return "No other degree, stage, recomputation, bucket or length makes it fit alone.";
    const first = found.length === 1 ? "This would do" : "Any one of these would do";
    return `${first}: ${found.join("; ")}.`;
  };
  const fixed = totalBytes(model.fixed);
  if (fixed > fit.budgetBytes) {
    const values = { needed: formatBytes(fixed), available: formatBytes(fit.budgetBytes), table };
    report.at("states-exceed-budget", place, values, { help: levers() });
  } else if (
    setup.spec.memory.bucket !== undefined &&
    peakBytes(model, bucket + 1) > fit.budgetBytes
  ) {
    report.at("bucket-exceeds-budget", "memory.bucket", {
      bucket: formatCount(bucket),
      needed: formatBytes(peakBytes(model, bucket + 1)),
      available: formatBytes(fit.budgetBytes),
      most: formatCount(bucketFor(model, fit.budgetBytes).tokens),
    });
  } else if (!fits(fit)) {
    const context = fit.setting.contextParallel;
    report.at(
      "sequence-too-long",
      setup.spec.memory.bucket === undefined ? "data.max_length" : "memory.bucket",
      {
        longest: formatCount(fit.longest),
        shard: formatCount(longestShard(fit.longest, context)),
        context,
        bucket: formatCount(bucket),
        table,
      },
      { help: levers() },
    );
  }
}

/** Where memory goes, in one sentence. */
function memoryTable({ fixed, perToken }: MemoryModel): string {
  const states = fixed.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(", ");
  const tokens = perToken.map(({ name, bytes }) => `${name} ${formatBytes(bytes)}`).join(", ");
  return `Of a rank's memory: ${states}; then for every token: ${tokens}.`;
}
