import type { LoraShape } from "./adapters.js";
import {
  activeMlpWidth,
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  type Precision,
  queryWidth,
  type TransformerShape,
} from "./shape.js";

/** Bytes at the full bandwidth of memory that would take as long, an element in bf16: forward and backward. */
type Pass = readonly [forward: number, backward: number];

interface Kernels {
  /** Of the normalised width. */
  readonly norm: Pass;
  /** Of queries and keys. */
  readonly rotary: Pass;
  /** Of the MLP's width, behind gate and up, or behind up. */
  readonly activation: Pass;
}

/**
 * Medians of 2,048 x 4,096 and 8,192 tokens of 40 heads of 256 on an A100 of 2,039 GB/s, Hugging Face's modules against
 * Liger's (github:linkedin/Liger-Kernel@ead96b6 benchmark/data/all_benchmark_data.csv): RMSNorm 0.280 and 0.740 ms,
 * fused 0.031 and 0.099; rotary embeddings 1.933 and 2.321 ms, fused 0.209 and 0.210. Activations: reads and writes of
 * their kernels, at the half of the bandwidth (fused) and four fifths of it that those reach.
 */
const EAGER: Kernels = { norm: [68, 180], rotary: [47, 56], activation: [12.5, 22.5] };
const FUSED: Kernels = { norm: [7.5, 24], rotary: [5.1, 5.1], activation: [12, 20] };
/** PyTorch's own LayerNorm is one kernel each way (same source, H100: 0.61 of the bandwidth). */
const LAYER_NORM: Pass = [7, 10];
/** An activation of one input. */
const PLAIN_ACTIVATION: Pass = [5, 7.5];
/** Two sums a layer, and those of their gradients, at nine tenths of the bandwidth. */
const RESIDUAL: Pass = [13, 13];
/** An adapter's product reads its input and adds to the output of the frozen matrix. */
const ADAPTER: Pass = [5, 10];
/** Tokens are copied to their experts and added up again. */
const ROUTED: Pass = [10, 10];
/** Logits in both precisions, their softmax and gradient. */
const LOGIT_BYTES = 20;

export interface ElementwiseSetting {
  readonly shape: TransformerShape;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  readonly lora: LoraShape | null;
  /** Whether norms, rotary embeddings and gated MLPs are fused. */
  readonly fused: boolean;
  /** Whether norms are compiled, which fuses them. */
  readonly compiledNorms: boolean;
}

/** What limits all but matrix products and attention: bytes that would take as long to move, over the whole model. */
export interface ElementwiseWork {
  readonly perToken: number;
  readonly perTarget: number;
}

/** Bytes of forward, backward and recomputation: a model of kernels, not of their exact traffic. */
export function elementwiseWork(setting: ElementwiseSetting): ElementwiseWork {
  const { shape, precision, checkpointing } = setting;
  const wider = BYTES_PER_ELEMENT[precision] / BYTES_PER_ELEMENT.bf16;
  const mlp = activationWork(setting);
  const rest = sum([
    ...normWork(setting),
    scaled((setting.fused ? FUSED : EAGER).rotary, queryWidth(shape) + keyValueWidth(shape) / 2),
    scaled(RESIDUAL, shape.hidden_size),
    scaled(ADAPTER, setting.lora?.widths ?? 0),
    routedWork(shape),
  ]);
  const again = checkpointing === "none" ? 0 : mlp[0];
  const allAgain = checkpointing === "none" || checkpointing === "selective" ? 0 : rest[0];
  const layer = mlp[0] + mlp[1] + rest[0] + rest[1] + again + allAgain;
  return {
    perToken: wider * shape.layers * layer,
    perTarget: wider * LOGIT_BYTES * shape.vocab_size,
  };
}

function normWork({ shape, fused, compiledNorms }: ElementwiseSetting): readonly Pass[] {
  const rms = fused || compiledNorms ? FUSED.norm : EAGER.norm;
  const heads = shape.query_key_norm ? queryWidth(shape) + keyValueWidth(shape) / 2 : 0;
  return [scaled(shape.layer_norm ? LAYER_NORM : rms, 2 * shape.hidden_size), scaled(rms, heads)];
}

function activationWork({ shape, fused }: ElementwiseSetting): Pass {
  const gated = (fused ? FUSED : EAGER).activation;
  return scaled(shape.gated_mlp ? gated : PLAIN_ACTIVATION, activeMlpWidth(shape));
}

function routedWork({ experts, hidden_size: hidden, layers }: TransformerShape): Pass {
  return scaled(ROUTED, experts ? (experts.active * hidden * experts.layers) / layers : 0);
}

const scaled = ([forward, backward]: Pass, width: number): Pass => [
  forward * width,
  backward * width,
];

const sum = (passes: readonly Pass[]): Pass =>
  passes.reduce(([f, b], [forward, backward]) => [f + forward, b + backward]);
