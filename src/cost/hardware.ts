import type { MachineConstants } from "./machine-constants.js";
import type { Offload, ZeroStage } from "./memory-setting.js";
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
  /** Parameters that were trained; without it, all. */
  readonly trained?: number;
  /** What was kept on the host; without it, nothing. */
  readonly offload?: Offload;
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
  /**
   * Bytes per second at which norms, activations and residuals run; `null` where matrix products include them, as
   * those of a profile without this figure do.
   */
  readonly elementwise_bytes_per_second: number | null;
  /** Fixed cost of a micro-batch, us; `null` where it follows from the model's layers. */
  readonly micro_batch_us: number | null;
  /**
   * What a micro-batch takes at least besides its fixed cost, us: the host starts its kernels. `null` where it follows
   * from the model's layers.
   */
  readonly micro_batch_least_us: number | null;
  /** Cost of a step besides its micro-batches, us; `null` where it follows from the model's parameters. */
  readonly step_us: number | null;
  /** Of the GPU's memory, bytes per second; `null` where no step's time follows from it. */
  readonly memory_bandwidth: number | null;
  /** To and from the host's memory, of a rank, bytes per second; `null` on CPU. */
  readonly host_link: number | null;
  /** Parameters per second that a node's processors step with Adam; `null` on CPU. */
  readonly host_adam_parameters: number | null;
  /** That a rank's network card reaches in collectives; `null` is its share of the rate that the cluster has. */
  readonly network_bytes_per_second: number | null;
  /** How much longer a message takes to start between nodes than inside of one; `null` is the constant. */
  readonly crossing_factor: number | null;
  /** ZeRO's communication that the two costs above include; `null` where they include none. */
  readonly zero_included: ZeroSetting | null;
  /**
   * Share of ZeRO's communication in a micro-batch that runs beside its work, where it was measured. `null` is the
   * constant, and none of what a measured micro-batch does not include.
   */
  readonly zero_overlap: number | null;
  /** Measured bytes of activations over modelled ones. */
  readonly activation_factor: number;
  /** At least one table. */
  readonly collectives: readonly CollectiveTable[];
  /** What holds for every machine. */
  readonly constants: MachineConstants;
}
