import { dimensionsIn } from "./description.js";
import type { ModelDimensions } from "./dimensions.js";
import { DESCRIPTIONS } from "./known-models.generated.js";
import { modelByName } from "./names.js";
import { documentedOriginal, ropeSettings, ropeTypeOf, scaledPositions } from "./rope.js";

type Fields = Readonly<Record<string, unknown>>;

/** Keys that a spec's rotary embeddings change; no dimension of the layers depends on them. */
const ROTARY: ReadonlySet<string> = new Set([
  ...["rope_scaling", "rope_parameters", "rope_theta", "max_position_embeddings"],
]);

/**
 * Dimensions of a model of the catalogue whose family the reader does not know, whatever rotary embeddings it has been given;
 * `undefined` for any other configuration.
 */
export function catalogueDimensions(config: unknown): ModelDimensions | undefined {
  if (!isRecord(config)) return undefined;
  const name = Object.keys(DESCRIPTIONS).find((known) => isLike(config, known));
  const told = dimensionsIn(JSON.parse(DESCRIPTIONS[name ?? ""] ?? "null"));
  if (!told) return undefined;
  const settings = ropeSettings(config);
  const own = config["max_position_embeddings"];
  const most = typeof own === "number" ? own : undefined;
  return {
    ...told,
    max_positions: isRecord(settings) ? scaledPositions(settings, most) : most,
    rope_type: String(ropeTypeOf(config) ?? "default"),
    yarn_original: documentedOriginal(config),
  };
}

function isLike(config: Fields, name: string): boolean {
  const known = modelByName(name)?.config ?? {};
  return config["model_type"] === known["model_type"] && layersOf(config) === layersOf(known);
}

/** A configuration but for its rotary embeddings, in one order of keys. */
function layersOf(config: Fields): string {
  const kept = Object.keys(config).filter((key) => !ROTARY.has(key));
  return JSON.stringify(kept.sort().map((key) => [key, config[key]]));
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
