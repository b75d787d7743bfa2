import type { Checkpointing, Precision } from "../foundation/vocabularies.generated.js";
/** The dimensions of a decoder-only transformer that cost and memory depend on. */
export interface TransformerShape {
  readonly hidden_size: number;
  readonly layers: number;
  /** Query heads. */
  readonly heads: number;
  readonly kv_heads: number;
  readonly head_dim: number;
  /** Width of the MLP of a dense layer. */
  readonly intermediate_size: number;
  /** Three matrices (gate, up, down), or two. */
  readonly gated_mlp: boolean;
  /** `null` for a dense model. */
  readonly experts: Experts | null;
  /** `null` where every layer attends to the whole sequence. */
  readonly sliding_window: SlidingWindow | null;
  readonly vocab_size: number;
  readonly parameters: number;
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
}

/** Layers whose tokens attend to the nearest tokens only. */
export interface SlidingWindow {
  /** Tokens that a token sees, itself counted. */
  readonly tokens: number;
  readonly layers: number;
}

export type { Checkpointing, Precision } from "../foundation/vocabularies.generated.js";

/** Whether every layer runs again in the backward, with its attention kernel or without. */
export const recomputesLayers = (checkpointing: Checkpointing): boolean =>
  checkpointing === "full" || checkpointing === "attention";

export const BYTES_PER_ELEMENT: Readonly<Record<Precision, number>> = { bf16: 2, fp32: 4 };

/** Width of all query heads together. */
export const queryWidth = (shape: TransformerShape): number => shape.heads * shape.head_dim;

/** Width of keys and values together: what a sharded sequence gathers per token and layer. */
export const keyValueWidth = (shape: TransformerShape): number =>
  2 * shape.kv_heads * shape.head_dim;

/** Matrices of an MLP. */
export const mlpMatrices = (shape: TransformerShape): number => (shape.gated_mlp ? 3 : 2);

/** Width of the MLPs that a token passes through in a layer, the mean over layers. */
export function activeMlpWidth({ layers, intermediate_size, experts }: TransformerShape): number {
  if (!experts) return intermediate_size;
  const dense = (layers - experts.layers) * intermediate_size;
  return (dense + experts.layers * experts.active * experts.width) / layers;
}
