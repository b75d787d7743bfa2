import type { Checkpointing, Precision } from "../foundation/vocabularies.generated.js";
/** The dimensions of a decoder-only transformer that cost and memory depend on. */
export interface TransformerShape {
  readonly hidden_size: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kv_heads: number;
  /** Of a query's or a key's head. */
  readonly head_dim: number;
  /** Of a value's head, where that is another width. */
  readonly value_dim?: number;
  /** Width of the MLP of a dense layer. */
  readonly intermediate_size: number;
  /** Three matrices (gate, up, down), or two. */
  readonly gated_mlp: boolean;
  /** LayerNorm instead of RMSNorm. */
  readonly layer_norm: boolean;
  /** Norms of every head's query and key. */
  readonly query_key_norm: boolean;
  /** Whether embedding and output head are one matrix. */
  readonly tied_embeddings: boolean;
  /** `null` for a dense model. */
  readonly experts: Experts | null;
  /** `null` where every layer attends to the whole sequence. */
  readonly sliding_window: SlidingWindow | null;
  readonly vocab_size: number;
  readonly parameters: number;
  /** Layers that mix tokens in order, without attention; sequences then stay whole. */
  readonly mixer_layers?: number;
  /** Matrices of a layer's attention, the mean over layers, where heads and widths do not say. */
  readonly attention_parameters?: number;
}

/** Mixture-of-experts layers. */
export interface Experts {
  /** Layers that have experts; the others are dense. */
  readonly layers: number;
  readonly count: number;
  /** Experts that a token passes through. */
  readonly active: number;
  /** Width of one expert. */
  readonly width: number;
  /** Width of the experts that every token passes through besides, together. */
  readonly shared?: number;
}

/** Layers whose tokens attend to the nearest tokens only. */
export interface SlidingWindow {
  /** Tokens that a token sees, itself counted. */
  readonly tokens: number;
  readonly layers: number;
}

export type { Checkpointing, Precision } from "../foundation/vocabularies.generated.js";

/** Whether every layer runs again in the backward, with its attention kernel. */
export const recomputesAttention = (checkpointing: Checkpointing): boolean =>
  checkpointing === "full" || checkpointing === "offload";

/** Whether every layer runs again in the backward, with its attention kernel or without. */
export const recomputesLayers = (checkpointing: Checkpointing): boolean =>
  recomputesAttention(checkpointing) || checkpointing === "attention";

export const BYTES_PER_ELEMENT: Readonly<Record<Precision, number>> = { bf16: 2, fp32: 4 };

/** Width of all query heads together. */
export const queryWidth = (shape: TransformerShape): number => shape.heads * shape.head_dim;

const valueDim = (shape: TransformerShape): number => shape.value_dim ?? shape.head_dim;

/** Width of keys and values together: what a sharded sequence gathers per token and layer. */
export const keyValueWidth = (shape: TransformerShape): number =>
  shape.kv_heads * (shape.head_dim + valueDim(shape));

/** Widths of all heads' products with a key and with a value. */
export const pairWidth = (shape: TransformerShape): number =>
  shape.heads * (shape.head_dim + valueDim(shape));

/** Matrices of an MLP. */
export const mlpMatrices = (shape: TransformerShape): number => (shape.gated_mlp ? 3 : 2);

/** Width of the MLPs that a token passes through in a layer, the mean over layers. */
export function activeMlpWidth({ layers, intermediate_size, experts }: TransformerShape): number {
  if (!experts) return intermediate_size;
  const dense = (layers - experts.layers) * intermediate_size;
  const sparse = experts.active * experts.width + (experts.shared ?? 0);
  return (dense + experts.layers * sparse) / layers;
}
