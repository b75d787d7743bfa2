import { adapterParameters, type LoraShape } from "./adapters.js";
import {
  activeMlpWidth,
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  mlpMatrices,
  type Precision,
  queryWidth,
  type TransformerShape,
} from "./shape.js";

export type ZeroStage = 0 | 1 | 2 | 3;

/** What is kept in the host's memory. */
export type Offload = "none" | "optimizer" | "all";

/** When ZeRO 2 reduces gradients. */
export type Reduction = "every-micro-batch" | "once";

/** What decides the memory of one rank. */
export interface MemorySetting {
  readonly shape: TransformerShape;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  readonly zeroStage: ZeroStage;
  /** All ranks: ZeRO partitions over the whole world. */
  readonly ranks: number;
  /** Ranks of the largest group that may share a sequence: the context-parallel one, or a pool's widest. */
  readonly largestGroup: number;
  /** State tensors the optimizer keeps per parameter: 2 for AdamW, 1 for SGD with momentum, else 0. */
  readonly optimizerMoments: number;
  /** Tokens whose logits exist at a time (chunked cross-entropy). */
  readonly lossChunk: number;
  /** Elements of ZeRO's reduction and gather buckets. */
  readonly zeroBucket: number;
  /** Measured bytes of activations over modelled ones. */
  readonly activationFactor: number;
  readonly reduction: Reduction;
  readonly offload: Offload;
  /** `null` where every weight is trained. */
  readonly lora: LoraShape | null;
}

export interface MemoryRow {
  readonly name: string;
  readonly bytes: number;
}

/** Memory of one rank: a fixed part, and a part per token of the bucket. */
export interface MemoryModel {
  readonly fixed: readonly MemoryRow[];
  readonly perToken: readonly MemoryRow[];
  /** In the host's memory, for this rank. */
  readonly host: readonly MemoryRow[];
}

const FP32 = 4;

/** Bytes of rows together. */
export function totalBytes(rows: readonly MemoryRow[]): number {
  let total = 0;
  for (const row of rows) total += row.bytes;
  return total;
}

/**
 * Memory of one rank by what holds it. Activations follow what autograd keeps of the Hugging Face layers:
 * a model, to be replaced by a measured profile where there is one.
 */
export function memoryModel(setting: MemorySetting): MemoryModel {
  return {
    fixed: [...stateRows(setting), logitsRow(setting)],
    perToken: activationRows(setting),
    host: hostRows(setting),
  };
}

/** Bytes of model states that a rank is responsible for, wherever they are. */
function states(setting: MemorySetting) {
  const { zeroStage, ranks, precision, reduction, lora, shape } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const share = (fromStage: ZeroStage) => (zeroStage >= fromStage ? ranks : 1);
  const added = lora ? adapterParameters(shape, lora) : 0;
  const trained = lora ? added : shape.parameters;
  // ZeRO keeps an fp32 master copy whatever the precision; plain data parallelism needs none in fp32.
  const master = precision === "bf16" || zeroStage > 0 ? 1 : 0;
  return {
    trained,
    weights: Math.ceil(((shape.parameters + added) * bytes) / share(3)),
    gradients: Math.ceil((trained * bytes) / (reduction === "once" ? 1 : share(2))),
    optimizer: Math.ceil((trained * FP32 * (master + setting.optimizerMoments)) / share(1)),
    // The optimizer step casts its share of the gradients to fp32.
    fp32Gradients: Math.ceil((trained * FP32) / share(1)),
  };
}

function stateRows(setting: MemorySetting): MemoryRow[] {
  const { zeroStage, precision, offload, shape } = setting;
  const own = states(setting);
  const bytes = BYTES_PER_ELEMENT[precision];
  // ZeRO holds a reduction and a gather bucket.
  const buckets = zeroStage > 0 ? 2 * Math.min(setting.zeroBucket, shape.parameters) * bytes : 0;
  const away = offload !== "none";
  return [
    // What is gathered of offloaded weights at a time is limited to two buckets.
    { name: "weights", bytes: offload === "all" ? Math.min(own.weights, buckets) : own.weights },
    // From stage 2 on, reduced gradients leave for the host bucket by bucket.
    { name: "gradients", bytes: away && zeroStage >= 2 ? 0 : own.gradients },
    { name: "optimizer states", bytes: away ? 0 : own.optimizer },
    { name: "step and buckets", bytes: (away ? 0 : own.fp32Gradients) + buckets },
  ];
}

function hostRows(setting: MemorySetting): MemoryRow[] {
  const { offload } = setting;
  if (offload === "none") return [];
  const { weights, optimizer, fp32Gradients } = states(setting);
  return [
    ...(offload === "all" ? [{ name: "weights", bytes: weights }] : []),
    { name: "optimizer states", bytes: optimizer },
    { name: "gradients in fp32", bytes: fp32Gradients },
  ];
}

/** Logits of one chunk in the model's precision and in fp32, and their fp32 gradient. */
function logitsRow({ shape, precision, lossChunk }: MemorySetting): MemoryRow {
  const perLogit = BYTES_PER_ELEMENT[precision] + 2 * FP32;
  return { name: "logits of a chunk", bytes: lossChunk * shape.vocab_size * perLogit };
}

function activationRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, checkpointing, largestGroup } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const layer = layerBytes(shape, bytes);
  const boundary = bytes * shape.hidden_size;
  const whole = layer.attention + layer.mlp;
  const kept = { none: whole, selective: layer.attention + boundary, full: boundary }[
    checkpointing
  ];
  const peak = checkpointing === "none" ? 0 : checkpointing === "selective" ? layer.mlp : whole;
  // Attention keeps its keys and values for the backward; those of a sharded sequence span its whole group.
  const gathered = largestGroup > 1 ? largestGroup * keyValueWidth(shape) * bytes : 0;
  const layersKept = checkpointing === "full" ? 1 : shape.layers;
  const factor = setting.activationFactor;
  return [
    { name: "activations", bytes: factor * shape.layers * kept },
    { name: "one layer at work", bytes: factor * (peak + whole) },
    { name: "gathered keys and values", bytes: (layersKept + 2) * gathered },
    {
      name: "embedding, final norm, inputs",
      bytes: 3 * boundary + 2 * FP32 * shape.hidden_size + 24,
    },
  ];
}

/** Bytes a token leaves for the backward in one layer. Norms compute in fp32: input, normalised, output. */
function layerBytes(shape: TransformerShape, bytes: number) {
  const { hidden_size: hidden } = shape;
  const norm = hidden * (2 * FP32 + bytes);
  const query = queryWidth(shape);
  const keyValue = keyValueWidth(shape);
  const logSumExp = FP32 * shape.heads;
  const tensors = 2 * (mlpMatrices(shape) - 1);
  const { experts } = shape;
  // Every active expert has its copy of the token, before and after.
  const copies = experts ? (2 * experts.active * hidden * experts.layers) / shape.layers : 0;
  return {
    // projections, rotary-embedded query and key, attention output, its projection added to the residual
    attention: norm + bytes * (2 * query + 1.5 * keyValue + query + hidden) + logSumExp,
    // gate, activated gate, up and their product (or up and its activation), and the residual
    mlp: norm + bytes * (tensors * activeMlpWidth(shape) + hidden + copies),
  };
}
