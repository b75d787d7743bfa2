import { TAKEN, type TestedKinds } from "./models.generated.js";

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Whether a configuration like this one has been tested (`is_tested` of the runtime's `refusals.py`, which also looks at the
 * version of transformers). A run tests any other before its first step.
 */
export function isTested(config: unknown): boolean {
  if (!isRecord(config)) return true;
  const type = String(config["model_type"]);
  if (!Object.hasOwn(TAKEN, type)) return false;
  const own = kindsOf(config);
  return (TAKEN[type] ?? []).some(
    ({ text, layers, rope }) =>
      own.text === text && isWithin(own.layers, layers) && isWithin(own.rope, rope),
  );
}

const isWithin = (own: readonly string[], all: readonly string[]): boolean =>
  own.every((one) => all.includes(one));

/** What a verdict on another configuration of the same family must have covered. */
function kindsOf(config: Fields): TestedKinds {
  const text = config["text_config"];
  const stated = isRecord(text) ? text : config;
  const layers: unknown = stated["layer_types"];
  return {
    text: String(stated["model_type"]),
    layers: Array.isArray(layers) ? layers.map(String) : [],
    rope: [...ropeKinds(stated["rope_parameters"]), ...ropeKinds(stated["rope_scaling"])],
  };
}

function ropeKinds(stated: unknown): readonly string[] {
  if (!isRecord(stated)) return [];
  const nested = Object.values(stated).filter(isRecord);
  return (nested.length > 0 ? nested : [stated]).map((own) =>
    String(own["rope_type"] || own["type"] || "default"),
  );
}
