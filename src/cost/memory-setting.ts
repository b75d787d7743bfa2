import type { Checkpointing, Reduction } from "../foundation/vocabularies.generated.js";
import type { LoraShape } from "./adapters.js";
import type { Groups } from "./communicators.js";
import type { Precision, TransformerShape } from "./shape.js";

export type ZeroStage = 0 | 1 | 2 | 3;

/** What is kept in the host's memory. */
export type Offload = "none" | "optimizer" | "all";

/** Whose backward has a workspace of its own. */
export type AttentionKernel = "flash2" | "flash3" | "none";

/** Bytes that the optimizer keeps for a trained parameter. */
export interface OptimizerStates {
  /** Its copy of the weight; 0 where it trains the model's own. */
  readonly masterBytes: number;
  /** Its running averages. */
  readonly momentBytes: number;
}

/** What decides the memory of one rank. */
export interface MemorySetting extends OptimizerStates {
  readonly shape: TransformerShape;
  readonly precision: Precision;
  /** What gradients are added in; a model in fp32 adds in fp32. */
  readonly gradients: Precision;
  readonly checkpointing: Checkpointing;
  /** Whether norms and gated MLPs are fused, and keep less. */
  readonly fused: boolean;
  readonly zeroStage: ZeroStage;
  /** All ranks: ZeRO partitions over the whole world. */
  readonly ranks: number;
  /** Ranks of the largest group that may share a sequence: the context-parallel one, or a pool's widest. */
  readonly largestGroup: number;
  /** Tokens whose logits exist at a time (chunked cross-entropy). */
  readonly lossChunk: number;
  /** Tokens that MLPs process at a time, in micro-batches of more; `null` for all at once. */
  readonly mlpTile: number | null;
  /** Elements of ZeRO's reduction and gather buckets. */
  readonly zeroBucket: number;
  /** Measured bytes of activations over modelled ones. */
  readonly activationFactor: number;
  readonly reduction: Reduction;
  readonly offload: Offload;
  /** Whether the load-balancing loss of experts is trained. */
  readonly routerLoss: boolean;
  /** `null` where every weight is trained. */
  readonly lora: LoraShape | null;
  /** `null` on CPU. */
  readonly groups: Groups | null;
  readonly kernel: AttentionKernel;
  /** Whether the attention kernel adds gradients of queries up in the same order every time, each block's in its own place. */
  readonly orderedSums: boolean;
}
