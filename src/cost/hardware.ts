import type { ZeroStage } from "./memory.js";
import type { Precision } from "./shape.js";

/** Times of collectives on groups of one size. */
export interface CollectiveTable {
  /** Ranks of the group that they were measured on. */
  readonly ranks: number;
  /** Nodes that the group spans. */
  readonly nodes: number;
  /** Sizes of the gathered whole, MB (10^6 bytes), ascending. */
  readonly megabytes: readonly number[];
  readonly all_gather_us: readonly number[];
  readonly reduce_scatter_us: readonly number[];
  /** Where it was not measured, a reduce-scatter's times stand for it: both move as many bytes. */
  readonly all_to_all_us?: readonly number[];
}

/** The setting of a run whose ZeRO communication is part of what was measured. */
export interface ZeroSetting {
  readonly stage: ZeroStage;
  readonly ranks: number;
  readonly parameters: number;
  /** What gradients were added in over ranks; without it, the model's precision. */
  readonly gradients?: Precision;
}

/** What the machine contributes to costs: published, assumed or measured. */
export interface Hardware {
  /** Reached by matrix products in training, per second. */
  readonly matmul_flops: number;
  /** Reached by the output head and its loss, per second. */
  readonly head_flops: number;
  /** Reached by attention to long sequences in training, per second. */
  readonly attention_flops: number;
  /** A shard of x tokens runs its attention at rate x / (x + this). */
  readonly small_shard_tokens: number;
  /** Fixed cost of a micro-batch, us. */
  readonly micro_batch_us: number;
  /** Cost of a step besides its micro-batches, us. */
  readonly step_us: number;
  /** ZeRO's communication that the two costs above include; `null` where they include none. */
  readonly zero_included: ZeroSetting | null;
  /** Measured bytes of activations over modelled ones. */
  readonly activation_factor: number;
  /** At least one table. */
  readonly collectives: readonly CollectiveTable[];
  /** How much longer a message takes to start between nodes, where no table spans nodes. */
  readonly crossing_factor: number;
}
