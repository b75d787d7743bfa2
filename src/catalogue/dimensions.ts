import { type Matrix, matricesOf, type ResizedVocabulary } from "../cost/adapters.js";
import type { Experts, SlidingWindow, TransformerShape } from "../cost/shape.js";
import { type ConfigProblem, type ModelType, refusalsOf } from "./refusals.js";
import { documentedOriginal, ropeSettings, scaledPositions } from "./rope.js";

/** What memory, cost and checks depend on of a Hugging Face model. */
export interface ModelDimensions {
  readonly shape: TransformerShape;
  readonly model_type: string;
  readonly tied_embeddings: boolean;
  /** Positions the model was made for, scaling included; `undefined` where the configuration does not say. */
  readonly max_positions: number | undefined;
  /** `default`, `linear`, `yarn`, `llama3` … */
  readonly rope_type: string;
  /** Whether the load-balancing loss of its experts is trained, as transformers reads the configuration. */
  readonly router_loss: boolean;
  /** Positions that YaRN stretches, where the model's documented recipe has others than its configuration. */
  readonly yarn_original: number | undefined;
  /** Matrices of layers that can have adapters. */
  readonly matrices: readonly Matrix[];
  /** Where the vocabulary has been made larger than that of the stored weights. */
  readonly resized?: ResizedVocabulary;
}

/** Which tensors a model's layers have, beyond what its dimensions say. */
export interface TensorLayout {
  /** Of query, key and value. */
  readonly input_bias: boolean;
  /** Of the attention's output. */
  readonly output_bias: boolean;
  readonly mlp_bias: boolean;
  readonly norm_bias: boolean;
  readonly query_key_norm: boolean;
  /** Whether a layer, by its number, has experts. */
  readonly isSparse: (layer: number) => boolean;
}

/** A shape before its parameters are counted. */
type Uncounted = Omit<TransformerShape, "parameters">;

export type ReadDimensions =
  | { readonly ok: true; readonly dimensions: ModelDimensions }
  | {
      readonly ok: false;
      readonly problems: readonly ConfigProblem[];
      /** Whether nothing is known against it, and the model itself can tell its dimensions (`describe`). */
      readonly undescribed?: boolean;
    };

/** What transformers takes where a family's `config.json` does not say, and how its layers are built. */
interface Family {
  /** `undefined`: as many as query heads. */
  readonly kv_heads?: number;
  /** `undefined`: hidden size / heads. */
  readonly head_dim?: number;
  readonly sliding_window: "never" | "unless null" | "if set" | "if used";
  readonly attention_bias: "never" | "if set" | "qkv always" | "use_bias";
  readonly mlp_bias: "never" | "if set" | "use_bias";
  readonly query_key_norm: boolean;
  /** LayerNorm, with a bias, instead of RMSNorm. */
  readonly norm_bias: boolean;
  readonly gated_mlp: boolean;
  readonly tied_embeddings: boolean;
  readonly experts?: ExpertKeys;
}

/** Where a configuration states its experts, and what it means without. */
interface ExpertKeys {
  readonly count: readonly string[];
  readonly fallback: { readonly count: number; readonly active: number };
  readonly width: string;
}

const PLAIN: Family = {
  sliding_window: "never",
  attention_bias: "never",
  mlp_bias: "never",
  query_key_norm: false,
  norm_bias: false,
  gated_mlp: true,
  tied_embeddings: false,
};

const FAMILIES: Readonly<Record<ModelType, Family>> = {
  llama: { ...PLAIN, attention_bias: "if set", mlp_bias: "if set" },
  mistral: { ...PLAIN, kv_heads: 8, sliding_window: "unless null" },
  mixtral: {
    ...PLAIN,
    kv_heads: 8,
    sliding_window: "if set",
    experts: {
      count: ["num_local_experts", "num_experts"],
      fallback: { count: 8, active: 2 },
      width: "intermediate_size",
    },
  },
  qwen2: { ...PLAIN, kv_heads: 32, sliding_window: "if used", attention_bias: "qkv always" },
  qwen3: {
    ...PLAIN,
    kv_heads: 32,
    head_dim: 128,
    sliding_window: "if used",
    attention_bias: "if set",
    query_key_norm: true,
  },
  qwen3_moe: {
    ...PLAIN,
    kv_heads: 4,
    sliding_window: "if used",
    attention_bias: "if set",
    query_key_norm: true,
    experts: {
      count: ["num_experts", "num_local_experts"],
      fallback: { count: 128, active: 8 },
      width: "moe_intermediate_size",
    },
  },
  starcoder2: {
    ...PLAIN,
    kv_heads: 2,
    sliding_window: "if set",
    attention_bias: "use_bias",
    mlp_bias: "use_bias",
    norm_bias: true,
    gated_mlp: false,
    tied_embeddings: true,
  },
};

/** Nothing is known against it. */
const UNDESCRIBED: ConfigProblem = {
  id: "undescribed",
  problem: "has dimensions that only the model itself can tell",
};

/** Reads a Hugging Face `config.json`; says every problem, not only the first. */
export function readDimensions(config: unknown): ReadDimensions {
  if (!isRecord(config)) return { ok: false, problems: [{ problem: "is not a JSON object" }] };
  const refused = refusalsOf(config);
  const family = familyOf(config);
  // Other families name their dimensions otherwise.
  if (!family)
    return {
      ok: false,
      problems: refused.length > 0 ? refused : [UNDESCRIBED],
      undescribed: refused.length === 0,
    };
  const reader = new ConfigReader(config);
  const dimensions = reader.read(family);
  const problems = [...refused, ...reader.problems.map((problem) => ({ problem }))];
  return problems.length > 0 ? { ok: false, problems } : { ok: true, dimensions };
}

/** Of a configuration whose dimensions could be read. */
export function readLayout(config: unknown): TensorLayout | undefined {
  const family = isRecord(config) ? familyOf(config) : undefined;
  return family && new ConfigReader(config as Readonly<Record<string, unknown>>).layout(family);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function familyOf(config: Readonly<Record<string, unknown>>): Family | undefined {
  const type = config["model_type"];
  const known = typeof type === "string" && Object.hasOwn(FAMILIES, type);
  return known ? FAMILIES[type as ModelType] : undefined;
}

class ConfigReader {
  readonly problems: string[] = [];

  constructor(private readonly config: Readonly<Record<string, unknown>>) {}

  read(family: Family): ModelDimensions {
    const hidden = this.count("hidden_size");
    const heads = this.count("num_attention_heads");
    const layers = this.count("num_hidden_layers");
    const tied = this.flag("tie_word_embeddings", family.tied_embeddings);
    const shape = {
      hidden_size: hidden,
      layers,
      heads,
      kv_heads: this.count(
        "num_key_value_heads",
        this.unlessNull("num_key_value_heads", family.kv_heads) ?? heads,
      ),
      head_dim: this.count(
        "head_dim",
        this.unlessNull("head_dim", family.head_dim) ?? Math.floor(hidden / Math.max(1, heads)),
      ),
      intermediate_size: this.count("intermediate_size"),
      gated_mlp: family.gated_mlp,
      layer_norm: family.norm_bias,
      query_key_norm: family.query_key_norm,
      tied_embeddings: tied,
      experts: this.experts(family, layers),
      sliding_window: this.slidingWindow(family, layers),
      vocab_size: this.count("vocab_size"),
    };
    if (shape.kv_heads > 0 && heads % shape.kv_heads !== 0) {
      this.problems.push(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads`);
    }
    const counted = { ...shape, parameters: this.parameters(shape, family, tied) };
    return {
      shape: counted,
      matrices: matricesOf(counted),
      model_type: String(this.config["model_type"]),
      tied_embeddings: tied,
      max_positions: this.maxPositions(),
      rope_type: this.ropeType(),
      router_loss: shape.experts !== null && this.asksForRouterLoss(),
      yarn_original: documentedOriginal(this.config),
    };
  }

  private asksForRouterLoss(): boolean {
    const { output_router_logits: asked, router_aux_loss_coef: coefficient } = this.config;
    return asked === true && coefficient !== 0;
  }

  /** A default; an explicit null asks for what follows from the other fields instead. */
  private unlessNull(key: string, fallback: number | undefined): number | undefined {
    return this.config[key] === null ? undefined : fallback;
  }

  private count(key: string, fallback?: number): number {
    const value = this.config[key] ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) > 0) return value as number;
    this.problems.push(
      `${key} ${value === undefined ? "is missing" : "is not a positive whole number"}`,
    );
    return 0;
  }

  private optionalCount(key: string): number | undefined {
    const value = this.config[key];
    return Number.isSafeInteger(value) ? (value as number) : undefined;
  }

  private maxPositions(): number | undefined {
    const settings = ropeSettings(this.config);
    const own = this.optionalCount("max_position_embeddings");
    return isRecord(settings) ? scaledPositions(settings, own) : own;
  }

  private ropeType(): string {
    const scaling = ropeSettings(this.config);
    return isRecord(scaling) ? String(scaling["rope_type"] ?? scaling["type"] ?? "default") : "";
  }

  private flag(key: string, fallback: boolean): boolean {
    const value = this.config[key] ?? fallback;
    return value === true;
  }

  /** Qwen states a window that it does not use; Mistral has one of 4,096 tokens unless it says null. */
  private slidingWindow({ sliding_window: habit }: Family, layers: number): SlidingWindow | null {
    const { sliding_window: stated, use_sliding_window: used, layer_types: types } = this.config;
    const active = {
      never: false,
      "unless null": stated !== null,
      "if set": stated !== null && stated !== undefined,
      "if used": used === true && stated !== null,
    }[habit];
    const narrow = this.windowLayers(types, active, habit, layers);
    if (narrow === 0) return null;
    return { tokens: this.count("sliding_window", 4096), layers: narrow };
  }

  private windowLayers(types: unknown, active: boolean, habit: string, layers: number): number {
    if (Array.isArray(types)) {
      if (types.length !== layers)
        this.problems.push(`layer_types has ${types.length} layers, num_hidden_layers ${layers}`);
      return types.filter((type) => type === "sliding_attention").length;
    }
    if (!active) return 0;
    // Qwen's first layers see everything.
    const whole = habit === "if used" ? this.config["max_window_layers"] : 0;
    return Math.max(0, layers - (typeof whole === "number" ? whole : 28));
  }

  private experts({ experts: keys }: Family, layers: number): Experts | null {
    if (!keys) return null;
    const key = keys.count.find((name) => this.config[name] !== undefined) ?? keys.count[0] ?? "";
    const count = this.count(key, keys.fallback.count);
    const active = this.count("num_experts_per_tok", keys.fallback.active);
    if (active > count) this.problems.push(`num_experts_per_tok (${active}) is over ${key}`);
    return { layers: this.expertLayers(layers), count, active, width: this.count(keys.width) };
  }

  /** Experts are in every so many layers, but not in those that are stated to be dense. */
  private sparseness(): { readonly step: number; readonly dense: readonly unknown[] } {
    const step = this.optionalCount("decoder_sparse_step") ?? 1;
    const dense: unknown = this.config["mlp_only_layers"] ?? [];
    return { step, dense: Array.isArray(dense) ? dense : [] };
  }

  private expertLayers(layers: number): number {
    const stated: unknown = this.config["mlp_only_layers"] ?? [];
    if (this.sparseness().step < 1 || !Array.isArray(stated))
      this.problems.push("decoder_sparse_step or mlp_only_layers is not what it should be");
    const sparse = this.sparseLayers();
    let count = 0;
    for (let layer = 0; layer < layers; layer += 1) if (sparse(layer)) count += 1;
    return count;
  }

  /** Which layers have experts, of a family that has any. */
  private sparseLayers(): (layer: number) => boolean {
    const { step, dense } = this.sparseness();
    return (layer) => !dense.includes(layer) && (layer + 1) % step === 0;
  }

  layout(family: Family): TensorLayout {
    const { attention_bias: bias, mlp_bias: mlp, query_key_norm, norm_bias } = family;
    const output =
      (bias === "if set" && this.flag("attention_bias", false)) ||
      (bias === "use_bias" && this.flag("use_bias", true));
    return {
      input_bias: output || bias === "qkv always",
      output_bias: output,
      mlp_bias:
        (mlp === "if set" && this.flag("mlp_bias", false)) ||
        (mlp === "use_bias" && this.flag("use_bias", true)),
      norm_bias,
      query_key_norm,
      isSparse: family.experts ? this.sparseLayers() : () => false,
    };
  }

  private parameters(shape: Uncounted, family: Family, tied: boolean): number {
    const { hidden_size: hidden, layers } = shape;
    const norm = hidden * (family.norm_bias ? 2 : 1);
    const mlps = this.mlpParameters(shape, family);
    const embeddings = shape.vocab_size * hidden * (tied ? 1 : 2);
    return layers * (this.attentionParameters(shape, family) + 2 * norm) + mlps + embeddings + norm;
  }

  private attentionParameters(
    { hidden_size: hidden, head_dim: head, ...shape }: Uncounted,
    family: Family,
  ): number {
    const { input_bias, output_bias, query_key_norm } = this.layout(family);
    const query = shape.heads * head;
    const keyValue = 2 * shape.kv_heads * head;
    const biases = (input_bias ? query + keyValue : 0) + (output_bias ? hidden : 0);
    return hidden * (2 * query + keyValue) + biases + (query_key_norm ? 2 * head : 0);
  }

  /** Of all layers together. */
  private mlpParameters(shape: Uncounted, family: Family): number {
    const { hidden_size: hidden, intermediate_size: width, experts, layers } = shape;
    const matrices = shape.gated_mlp ? 3 : 2;
    const biases = this.layout(family).mlp_bias ? (matrices - 1) * width + hidden : 0;
    const dense = matrices * hidden * width + biases;
    if (!experts) return layers * dense;
    const sparse = experts.count * (matrices * hidden * experts.width + hidden);
    return (layers - experts.layers) * dense + experts.layers * sparse;
  }
}
