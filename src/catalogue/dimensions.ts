/** The dimensions of a Hugging Face model that memory, cost and checks depend on. */
export interface ModelDimensions {
  readonly model_type: string;
  readonly hidden_size: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  readonly intermediate_size: number;
  readonly vocab_size: number;
  readonly tied_embeddings: boolean;
  /** Positions the model was made for; `undefined` where the configuration does not say. */
  readonly max_positions: number | undefined;
  /** `default`, `linear`, `yarn`, `llama3` … */
  readonly rope_type: string;
  readonly parameters: number;
}

export type ReadDimensions =
  | { readonly ok: true; readonly dimensions: ModelDimensions }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Decoder families whose layers the runtime's attention and the cost model are right for. */
export const MODEL_TYPES = ["llama", "mistral", "qwen2", "qwen3"] as const;

/** Rotary embeddings that look at the largest position on the rank: ranks of a group would disagree. */
const REFUSED_ROPE = ["dynamic", "longrope"];

/** Reads a Hugging Face `config.json`; says every problem, not only the first. */
export function readDimensions(config: unknown): ReadDimensions {
  if (typeof config !== "object" || config === null || Array.isArray(config)) {
    return { ok: false, problems: ["is not a JSON object"] };
  }
  const reader = new ConfigReader(config as Readonly<Record<string, unknown>>);
  const dimensions = reader.read();
  return reader.problems.length > 0
    ? { ok: false, problems: reader.problems }
    : { ok: true, dimensions };
}

class ConfigReader {
  readonly problems: string[] = [];

  constructor(private readonly config: Readonly<Record<string, unknown>>) {}

  read(): ModelDimensions {
    const modelType = this.modelType();
    const hidden = this.count("hidden_size");
    const heads = this.count("num_attention_heads");
    const shape = {
      model_type: modelType,
      hidden_size: hidden,
      layers: this.count("num_hidden_layers"),
      heads,
      kv_heads: this.count("num_key_value_heads", heads),
      head_dim: this.count("head_dim", Math.floor(hidden / Math.max(1, heads))),
      intermediate_size: this.count("intermediate_size"),
      vocab_size: this.count("vocab_size"),
      tied_embeddings: this.config["tie_word_embeddings"] === true,
      max_positions: this.optionalCount("max_position_embeddings"),
      rope_type: this.ropeType(),
    };
    if (shape.kv_heads > 0 && heads % shape.kv_heads !== 0) {
      this.problems.push(`num_attention_heads (${heads}) is not a multiple of num_key_value_heads`);
    }
    this.refuseSlidingWindow();
    return { ...shape, parameters: this.parameters(shape) };
  }

  private modelType(): string {
    const type = this.config["model_type"];
    if (typeof type === "string" && (MODEL_TYPES as readonly string[]).includes(type)) return type;
    this.problems.push(
      `model_type ${JSON.stringify(type) ?? "is missing:"} is not one of ${MODEL_TYPES.join(", ")}`,
    );
    return "";
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
    const scaling = (this.config["rope_scaling"] ?? this.config["rope_parameters"] ?? {}) as Record<
      string,
      unknown
    >;
    const type = String(scaling["rope_type"] ?? scaling["type"] ?? "default");
    if (REFUSED_ROPE.includes(type)) {
      this.problems.push(
        `rotary embeddings of type '${type}' depend on the longest position of a rank, so ranks that share a sequence would disagree`,
      );
    }
    return type;
  }

  private refuseSlidingWindow(): void {
    const { sliding_window: window, use_sliding_window: used, layer_types: types } = this.config;
    // Qwen2 states a window that it does not use.
    const active = used === undefined ? window !== null && window !== undefined : used === true;
    const layers = Array.isArray(types) && types.some((type) => type !== "full_attention");
    if (active || layers) this.problems.push("sliding-window attention is not supported yet");
  }

  private parameters(shape: Omit<ModelDimensions, "parameters">): number {
    const { hidden_size: hidden, head_dim: head, intermediate_size: mlp, model_type: type } = shape;
    const query = shape.heads * head;
    const keyValue = shape.kv_heads * head;
    const qkvBias =
      type === "qwen2" || this.config["attention_bias"] === true ? query + 2 * keyValue : 0;
    const outputBias = type !== "qwen2" && this.config["attention_bias"] === true ? hidden : 0;
    const mlpBias = this.config["mlp_bias"] === true ? 2 * mlp + hidden : 0;
    const norms = 2 * hidden + (type === "qwen3" ? 2 * head : 0);
    const matrices = 2 * hidden * query + 2 * hidden * keyValue + 3 * hidden * mlp;
    const layer = matrices + qkvBias + outputBias + mlpBias + norms;
    const embeddings = shape.vocab_size * hidden * (shape.tied_embeddings ? 1 : 2);
    return shape.layers * layer + embeddings + hidden;
  }
}
