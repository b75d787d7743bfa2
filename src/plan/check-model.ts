import { scalingAdvice } from "../catalogue/rope.js";
import { adaptableOf } from "../cost/adapters.js";
import { formatCount } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import { longestOf } from "./fit.js";
import type { Setup } from "./setup.js";

/** Reports sequences of more positions than the model knows. */
export function checkPositions(setup: Setup, report: SpecReport): void {
  const { dimensions } = setup.inputs;
  const { max_positions: positions } = dimensions;
  const longest = longestOf(setup);
  if (positions === undefined || longest <= positions) return;
  const { max_length: limit } = setup.spec.data;
  report.at(
    "position-limit",
    "data.max_length",
    { longest: formatCount(longest), positions: formatCount(positions) },
    // Of what the spec allows, so that it is what lint says before anything is measured.
    { help: `Shorten max_length, or ${scalingAdvice(Math.max(limit, longest), dimensions)}.` },
  );
}

/** Reports adapters on matrices that the model does not have. */
export function checkAdapters(setup: Setup, report: SpecReport): void {
  const { rank, targets } = setup.spec.lora;
  const known: readonly string[] = adaptableOf(setup.shape);
  for (const [n, target] of targets.entries()) {
    if (rank === 0 || known.includes(target)) continue;
    const place = setup.origins.has("lora.targets") ? `lora.targets.${n}` : "lora";
    const help = `Available: ${known.join(", ")}.`;
    report.at("unknown-adapter-target", place, { target }, { help });
  }
}
