import type { LoraShape } from "../../src/cost/adapters.js";
import type { MachineConstants } from "../../src/cost/machine-constants.js";
import { type MemorySetting, memoryModel } from "../../src/cost/memory.js";
import type { MemoryPhase, MemoryRow, MemoryRowId } from "../../src/cost/memory-model.js";
import type { TransformerShape } from "../../src/cost/shape.js";

/** Dimensions that differ from each other, so that none can stand in for another: queries are 18 wide, keys and values 6 each. */
export const SMALL: TransformerShape = {
  hidden_size: 10,
  layers: 5,
  heads: 6,
  kv_heads: 2,
  head_dim: 3,
  intermediate_size: 7,
  gated_mlp: true,
  layer_norm: false,
  query_key_norm: false,
  tied_embeddings: false,
  experts: null,
  sliding_window: null,
  vocab_size: 11,
  parameters: 1001,
};

/** Four of the five layers, of which a token passes through two of six, 3 wide each. */
export const SPARSE: TransformerShape = {
  ...SMALL,
  experts: { layers: 4, count: 6, active: 2, width: 3 },
};

/** Frozen weights in the model's precision. */
export const WHOLE = { base: "model", double_quantisation: true } as const;

/** 5 x 2 x 3 = 30 parameters. */
export const LORA: LoraShape = {
  rank: 2,
  widths: 3,
  matrices: { attention: 2, mlp: 1 },
  parameters: 30,
  dora: null,
  stacked: null,
  ends: { head: false, rows: false, parameters: 0 },
  fourBit: null,
};

/** Plain data parallelism of four ranks, of which two share sequences. */
export const MEMORY: MemorySetting = {
  shape: SMALL,
  precision: "bf16",
  gradients: "bf16",
  routerLoss: false,
  checkpointing: "none",
  fused: false,
  zeroStage: 0,
  ranks: 4,
  largestGroup: 2,
  masterBytes: 4,
  momentBytes: 8,
  lossChunk: 6,
  mlpTile: null,
  zeroBucket: 100,
  activationFactor: 1,
  reduction: "every-micro-batch",
  offload: "none",
  lora: null,
  groups: null,
  kernel: "none",
  orderedSums: false,
};

/** Constants that differ from each other. */
export const CONSTANTS: MachineConstants = {
  matmul_in_training: 0.9,
  attention_in_training: 0.8,
  hopper_attention_in_training: 0.7,
  attention_half_tokens: 400,
  elementwise: 0.5,
  layer_forward_us: 3,
  layer_backward_us: 50,
  zero3_layer_us: 700,
  adapter_factor: 1.5,
  network_share: 0.6,
  crossing_factor: 4,
  zero_overlap: 0.25,
  step_us: 1000,
};

type Part = "fixed" | "perToken" | "host" | "hostPerToken";

/** Bytes of the only row of that id and moment; NaN where there is none, or another. */
export function rowOf(
  part: Part,
  change: Partial<MemorySetting>,
  wanted: MemoryRowId,
  at?: MemoryPhase,
): number {
  const rows: readonly MemoryRow[] = memoryModel({ ...MEMORY, ...change })[part];
  const found = rows.filter(({ id, phase }) => id === wanted && phase === at);
  return found.length === 1 ? (found[0] as MemoryRow).bytes : Number.NaN;
}
