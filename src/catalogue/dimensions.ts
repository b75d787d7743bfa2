import type { TransformerShape } from "../cost/shape.js";

/** What memory, cost and checks depend on of a Hugging Face model. */
export interface ModelDimensions extends TransformerShape {
  readonly model_type: string;
  readonly tied_embeddings: boolean;
  /** Positions the model was made for; `undefined` where the configuration does not say. */
  readonly max_positions: number | undefined;
  /** `default`, `linear`, `yarn`, `llama3` … */
  readonly rope_type: string;
}

export type ReadDimensions =
  | { readonly ok: true; readonly dimensions: ModelDimensions }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What transformers takes where a family's `config.json` does not say, and which biases and norms its layers have. */
interface Family {
  /** `undefined`: as many as query heads. */
  readonly kv_heads?: number;
  /** `undefined`: hidden size / heads. */
  readonly head_dim?: number;
  readonly sliding_window: "never" | "by default" | "if used";
  readonly attention_bias: "never" | "if set" | "qkv always";
  readonly mlp_bias: "never" | "if set";
  readonly query_key_norm: boolean;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  llama: {
    sliding_window: "never",
    attention_bias: "if set",
    mlp_bias: "if set",
    query_key_norm: false,
  },
  mistral: {
    kv_heads: 8,
    sliding_window: "by default",
    attention_bias: "never",
    mlp_bias: "never",
    query_key_norm: false,
  },
  qwen2: {
    kv_heads: 32,
    sliding_window: "if used",
    attention_bias: "qkv always",
    mlp_bias: "never",
    query_key_norm: false,
  },
  qwen3: {
    kv_heads: 32,
    head_dim: 128,
    sliding_window: "if used",
    attention_bias: "if set",
    mlp_bias: "never",
    query_key_norm: true,
  },
};

/** Decoder families whose layers the runtime's attention and the cost model are right for. */
export const MODEL_TYPES: readonly string[] = Object.keys(FAMILIES);

/** Stands in where the family is not known, so that the other problems are found too. */
const UNKNOWN_FAMILY: Family = {
  sliding_window: "never",
  attention_bias: "never",
  mlp_bias: "never",
  query_key_norm: false,
};

/** Rotary embeddings that look at the largest position on the rank: ranks of a group would disagree. */
const REFUSED_ROPE = ["dynamic", "longrope"];

/** Reads a Hugging Face `config.json`; says every problem, not only the first. */
export function readDimensions(config: unknown): ReadDimensions {
  if (!isRecord(config)) return { ok: false, problems: ["is not a JSON object"] };
  const reader = new ConfigReader(config);
  const dimensions = reader.read();
  return reader.problems.length > 0
    ? { ok: false, problems: reader.problems }
    : { ok: true, dimensions };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class ConfigReader {
  readonly problems: string[] = [];

  constructor(private readonly config: Readonly<Record<string, unknown>>) {}

  read(): ModelDimensions {
    const [modelType, family] = this.family();
    const hidden = this.count("hidden_size");
    const heads = this.count("num_attention_heads");
    const shape = {
      model_type: modelType,
      hidden_size: hidden,
      layers: this.count("num_hidden_layers"),
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
      vocab_size: this.count("vocab_size"),
      tied_embeddings: this.config["tie_word_embeddings"] === true,
      max_positions: this.optionalCount("max_position_embeddings"),
      rope_type: this.ropeType(),
    };
    if (shape.kv_heads > 0 && heads % shape.kv_heads !== 0) {
      this.problems.push(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads`);
    }
    this.refuseSlidingWindow(family);
    return { ...shape, parameters: this.parameters(shape, family) };
  }

  private family(): readonly [string, Family] {
    const type = this.config["model_type"];
    const known = typeof type === "string" && Object.hasOwn(FAMILIES, type);
    const family = known ? FAMILIES[type] : undefined;
    if (known && family) return [type, family];
    this.problems.push(
      `model_type ${JSON.stringify(type) ?? "is missing:"} is not one of ${MODEL_TYPES.join(", ")}`,
    );
    return ["", UNKNOWN_FAMILY];
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

  private ropeType(): string {
    const scaling: unknown = this.config["rope_scaling"] ?? this.config["rope_parameters"] ?? {};
    if (!isRecord(scaling)) {
      this.problems.push("rope_scaling is not a JSON object");
      return "default";
    }
    const type = String(scaling["rope_type"] ?? scaling["type"] ?? "default");
    if (REFUSED_ROPE.includes(type)) {
      this.problems.push(
        `rotary embeddings of type '${type}' depend on the longest position of a rank, so ranks that share a sequence would disagree`,
      );
    }
    return type;
  }

  private refuseSlidingWindow({ sliding_window: habit }: Family): void {
    const { sliding_window: window, use_sliding_window: used, layer_types: types } = this.config;
    // Mistral has a window of 4,096 unless it says null; Qwen states one that it does not use.
    const active =
      (habit === "by default" && window !== null) || (habit === "if used" && used === true);
    const layers = Array.isArray(types) && types.some((type) => type !== "full_attention");
    if (active || layers) this.problems.push("sliding-window attention is not supported yet");
  }

  private parameters(shape: Omit<ModelDimensions, "parameters">, family: Family): number {
    const { hidden_size: hidden, head_dim: head, intermediate_size: mlp } = shape;
    const query = shape.heads * head;
    const keyValue = shape.kv_heads * head;
    const everyBias = family.attention_bias === "if set" && this.config["attention_bias"] === true;
    const qkvBias = everyBias || family.attention_bias === "qkv always" ? query + 2 * keyValue : 0;
    const outputBias = everyBias ? hidden : 0;
    const mlpSet = family.mlp_bias === "if set" && this.config["mlp_bias"] === true;
    const mlpBias = mlpSet ? 2 * mlp + hidden : 0;
    const norms = 2 * hidden + (family.query_key_norm ? 2 * head : 0);
    const matrices = 2 * hidden * query + 2 * hidden * keyValue + 3 * hidden * mlp;
    const layer = matrices + qkvBias + outputBias + mlpBias + norms;
    const embeddings = shape.vocab_size * hidden * (shape.tied_embeddings ? 1 : 2);
    return shape.layers * layer + embeddings + hidden;
  }
}
