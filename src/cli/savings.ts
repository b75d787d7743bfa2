import { formatShare } from "../foundation/format.js";
import { changesText } from "../plan/changes.js";
import type { Saving } from "../plan/cheaper.js";

const NEAR = "* by less than predictions may be off";

/** What would make a run cheaper, a line each. */
export function savingLines(savings: readonly Saving[], hours: string): readonly string[] {
  if (savings.length === 0) return ["Nothing that tune tries would make it cheaper."];
  const lines = savings.map(({ changes, saved, time_ratio: ratio, within_band }) => {
    const longer = ratio > 1.02 ? `, ${ratio.toFixed(2)} x as long` : "";
    const near = within_band ? " *" : "";
    return `  ${formatShare(saved)} fewer ${hours}${longer}: ${changesText(changes)}${near}`;
  });
  const near = savings.some(({ within_band }) => within_band);
  const note = near ? [NEAR] : [];
  return ["What would make it cheaper:", ...lines, ...note];
}
