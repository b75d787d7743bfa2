/** The dimensions of a decoder-only transformer that cost and memory depend on. */
export interface TransformerShape {
  readonly hidden_size: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  /** Width of the gated MLP (three matrices: gate, up, down). */
  readonly intermediate_size: number;
  readonly vocab_size: number;
  readonly parameters: number;
}

export type Precision = "bf16" | "fp32";

/** What is recomputed in the backward: nothing, every layer's MLP, or every layer. */
export type Checkpointing = "none" | "selective" | "full";

export const BYTES_PER_ELEMENT: Readonly<Record<Precision, number>> = { bf16: 2, fp32: 4 };

/** Width of all query heads together. */
export const queryWidth = (shape: TransformerShape): number => shape.heads * shape.head_dim;

/** Width of keys and values together: what a sharded sequence gathers per token and layer. */
export const keyValueWidth = (shape: TransformerShape): number =>
  2 * shape.kv_heads * shape.head_dim;
