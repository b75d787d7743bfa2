import { STRETCHED } from "./known-models.generated.js";

/** How rotary embeddings are stretched beyond the positions that a model was trained for, as a spec says it. */
export type RopeScaling =
  | { readonly type: "none" }
  | { readonly type: "linear"; readonly factor: number }
  | { readonly type: "dynamic"; readonly factor: number }
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly original: number | undefined;
      readonly beta_fast: number;
      readonly beta_slow: number;
    }
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly original: number | undefined;
      readonly low_freq_factor: number;
      readonly high_freq_factor: number;
    };

export type ScaledConfig =
  | {
      readonly ok: true;
      readonly config: unknown;
      /** Positions that were stretched before the recipe of the model's family was known, where those differ. */
      readonly recipe?: { readonly original: number; readonly before: number };
    }
  | { readonly ok: false; readonly problem: string };

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The rotary settings of a Hugging Face configuration, under its new or its old name. */
export function ropeSettings(config: Fields): unknown {
  return config["rope_scaling"] ?? config["rope_parameters"] ?? {};
}

/**
 * A Hugging Face configuration with these rotary embeddings in place of its own, as transformers 5 reads them
 * (`rope_parameters`). What is no configuration is left to the reader of dimensions to refuse.
 */
export function withRopeScaling(config: unknown, scaling: RopeScaling): ScaledConfig {
  if (!isRecord(config)) return { ok: true, config };
  const { rope_scaling: _, rope_parameters: __, ...rest } = config;
  const own = ropeSettings(config);
  if (!isRecord(own)) return { ok: true, config };
  if (Object.values(own).some(isRecord))
    return { ok: false, problem: "its layers have rotary embeddings of several kinds" };
  const stated = own["original_max_position_embeddings"];
  const documented = scaling.type === "yarn" ? documentedOriginal(config) : undefined;
  const most = positions(config["max_position_embeddings"]);
  const original = positions(stated) ?? documented ?? most;
  if (original === undefined)
    return { ok: false, problem: "its configuration has no max_position_embeddings" };
  const theta = own["rope_theta"] ?? config["rope_theta"];
  const parameters = {
    ...(theta === undefined ? {} : { rope_theta: theta }),
    ...ropeParameters(scaling, original),
  };
  const max = reach(scaling, original, most ?? original);
  const before = positions(stated) ?? most ?? original;
  return {
    ok: true,
    ...(before === original ? {} : { recipe: { original, before } }),
    config: { ...rest, max_position_embeddings: max, rope_parameters: parameters },
  };
}

/**
 * Positions that YaRN stretches by the recipe that a model was published with, where they are not those of its
 * configuration: known by the catalogue's model of the same family, positions and base frequency.
 */
export function documentedOriginal(config: Fields): number | undefined {
  if (ropeTypeOf(config) !== "default") return undefined;
  return STRETCHED.find(
    ({ type, positions: known, theta }) =>
      familyOf(config["model_type"]) === familyOf(type) &&
      config["max_position_embeddings"] === known &&
      baseFrequency(config) === theta,
  )?.original;
}

/** `default`, `linear`, `yarn`, `llama3` …; `undefined` where the settings are no object. */
export function ropeTypeOf(config: Fields): unknown {
  const own = ropeSettings(config);
  return isRecord(own) ? (own["rope_type"] ?? own["type"] ?? "default") : undefined;
}

/** `qwen3_moe` is published with the positions of `qwen3`. */
const familyOf = (type: unknown): string => String(type).replace(/_moe$/, "");

function baseFrequency(config: Fields): unknown {
  const own = ropeSettings(config);
  return (isRecord(own) ? own["rope_theta"] : undefined) ?? config["rope_theta"];
}

/** What to write for a model to reach `wanted` positions. Linear scaling and others are left to who chose them. */
export function scalingAdvice(
  wanted: number,
  model: {
    readonly max_positions: number | undefined;
    readonly yarn_original: number | undefined;
    readonly rope_type: string;
  },
): string {
  const { max_positions: reached = wanted, rope_type: rope } = model;
  if (rope !== "default") return "scale by a larger factor: model { rope_scaling = ... }";
  const original = model.yarn_original ?? reached;
  const factor = `factor = ${Math.ceil(wanted / original)}`;
  const from = original === reached ? "" : `  original = ${counted(original)}`;
  return `write model { rope_scaling = yarn { ${factor}${from} } }`;
}

/** `32K` where it is so many. */
const counted = (tokens: number): string =>
  tokens % 1024 === 0 ? `${tokens / 1024}K` : String(tokens);

const positions = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;

function ropeParameters(scaling: RopeScaling, stated: number): Fields {
  switch (scaling.type) {
    case "none":
      return { rope_type: "default" };
    case "linear":
    case "dynamic":
      return { rope_type: scaling.type, factor: scaling.factor };
    default: {
      const { type, original, ...rest } = scaling;
      return {
        rope_type: type,
        ...rest,
        original_max_position_embeddings: original ?? stated,
      };
    }
  }
}

/** Positions of the configuration. transformers wants those of YaRN to be the original ones times the factor. */
function reach(scaling: RopeScaling, stated: number, most: number): number {
  if (scaling.type === "none" || scaling.type === "linear" || scaling.type === "dynamic")
    return stated;
  const scaled = Math.floor((scaling.original ?? stated) * scaling.factor);
  return scaling.type === "yarn" ? scaled : Math.max(most, scaled);
}

/** Positions that a configuration's rotary embeddings reach, from its own number of them. */
export function scaledPositions(settings: Fields, own: number | undefined): number | undefined {
  const { factor } = settings;
  const type = settings["rope_type"] ?? settings["type"];
  if (typeof factor !== "number" || own === undefined) return own;
  if (type === "linear" || type === "dynamic") return Math.floor(own * factor);
  if (type !== "yarn") return own;
  const original = positions(settings["original_max_position_embeddings"]) ?? own;
  return Math.max(own, Math.floor(original * factor));
}
