import { scalingAdvice } from "../catalogue/rope.js";
import { adaptableOf, meantBy } from "../cost/adapters.js";
import { formatCount } from "../foundation/format.js";
import type { SpecReport } from "../semantics/report.js";
import { largestGroup, longestOf } from "./fit.js";
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
  checkFourBits(setup, report);
  const { rank, targets } = setup.spec.lora;
  const { matrices } = setup.inputs.dimensions;
  for (const [n, target] of targets.entries()) {
    if (rank === 0 || meantBy(target, matrices).length > 0) continue;
    const place = setup.origins.has("lora.targets") ? `lora.targets.${n}` : "lora";
    const help = `Available: ${adaptableOf(matrices).join(", ")}.`;
    report.at("unknown-adapter-target", place, { target }, { help });
  }
}

/** Reports experts that cannot be kept in four bits. */
function checkFourBits(setup: Setup, report: SpecReport): void {
  const { matrices } = setup.inputs.dimensions;
  if (!setup.lora?.fourBit || matrices.every(({ stacked }) => stacked === undefined)) return;
  const reason =
    "This model's experts, nearly all of its weights, are one tensor a layer, which bitsandbytes does not keep so.";
  const values = { first: "base = nf4", second: "a mixture of experts", reason };
  report.at("contradictory-keys", "lora.base", values, { help: "Write base = model." });
}

/** Reports groups that share sequences, of a model whose layers need whole ones. */
export function checkWholeSequences(setup: Setup, report: SpecReport): void {
  const { mixer_layers: mixing = 0, layers } = setup.shape;
  const group = largestGroup(setup);
  if (mixing === 0 || group === 1) return;
  const place = setup.topology.context_parallel > 1 ? "parallel.context" : "schedule.degrees";
  report.at("sequences-stay-whole", place, { mixing, layers, group });
}

/** Reports tiles of MLPs that have experts. */
export function checkTiles({ mlpTile, shape }: Setup, report: SpecReport): void {
  if (mlpTile === null || shape.experts === null) return;
  const values = { layers: shape.experts.layers, all: shape.layers };
  report.at("tiles-with-experts", "model.tiled_mlp", values);
}
