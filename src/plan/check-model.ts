import { adaptableOf } from "../cost/adapters.js";
import { formatCount } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import { longestOf } from "./fit.js";
import type { Setup } from "./setup.js";

/** Reports sequences of more positions than the model knows. */
export function checkPositions(setup: Setup, report: SpecReport): void {
  const { max_positions: positions, rope_type: rope } = setup.inputs.dimensions;
  const longest = longestOf(setup);
  if (positions === undefined || longest <= positions) return;
  report.at(
    "position-limit",
    "data.max_length",
    { longest: formatCount(longest), positions: formatCount(positions) },
    {
      help:
        rope === "default"
          ? `Shorten max_length, or write model { rope_scaling = yarn { factor = ${Math.ceil(longest / positions)} } }.`
          : "Shorten max_length, or scale by a larger factor: model { rope_scaling = ... }.",
    },
  );
}

/** Reports adapters on matrices that the model does not have. */
export function checkAdapters(setup: Setup, report: SpecReport): void {
  const { rank, targets } = setup.spec.lora;
  const known: readonly string[] = adaptableOf(setup.shape);
  for (const [n, target] of targets.entries()) {
    if (rank === 0 || known.includes(target)) continue;
    const place = setup.origins.has("lora.targets") ? `lora.targets.${n}` : "lora";
    const help = `There are ${known.join(", ")}.`;
    report.at("unknown-adapter-target", place, { target }, { help });
  }
}
