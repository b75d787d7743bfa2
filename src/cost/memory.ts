import type { Reduction } from "../foundation/vocabularies.generated.js";
import { adapterParameters, type LoraShape } from "./adapters.js";
import { communicatorBytes, type Groups } from "./communicators.js";
import {
  activeMlpWidth,
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  mlpMatrices,
  type Precision,
  queryWidth,
  recomputesLayers,
  type TransformerShape,
} from "./shape.js";

export type ZeroStage = 0 | 1 | 2 | 3;

/** What is kept in the host's memory. */
export type Offload = "none" | "optimizer" | "all";

/** When ZeRO 2 reduces gradients. */
export type { Reduction } from "../foundation/vocabularies.generated.js";

/** What decides the memory of one rank. */
export interface MemorySetting {
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
  /** Whether the load-balancing loss of experts is trained. */
  readonly routerLoss: boolean;
  /** `null` where every weight is trained. */
  readonly lora: LoraShape | null;
  /** `null` on CPU. */
  readonly groups: Groups | null;
  /** Whether the attention kernel adds gradients of queries up in the same order every time, each block's in its own place. */
  readonly orderedSums: boolean;
}

/** What a row of the plan's memory holds. Programs go by it; its name is for people. */
export type MemoryRowId =
  | "weights"
  | "gradients"
  | "optimizer"
  | "gradients-fp32"
  | "step"
  | "logits"
  | "head-gradient"
  | "communicators"
  | "activations"
  | "layer-at-work"
  | "gathered"
  | "model-ends"
  | "router"
  | "ordered-sums";

export interface MemoryRow {
  readonly id: MemoryRowId;
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

/** Bytes of the row of that id; 0 where there is none. */
export const bytesOf = (rows: readonly MemoryRow[], wanted: MemoryRowId): number =>
  rows.find(({ id }) => id === wanted)?.bytes ?? 0;

/**
 * Memory of one rank by what holds it. Activations follow what autograd keeps of the Hugging Face layers:
 * a model, to be replaced by a measured profile where there is one.
 */
export function memoryModel(setting: MemorySetting): MemoryModel {
  return {
    fixed: [...stateRows(setting), ...lossRows(setting), ...communicatorRows(setting)],
    perToken: activationRows(setting),
    host: hostRows(setting),
  };
}

/** Bytes of a gradient while micro-batches, and ranks, are added up. */
export const gradientBytes = (precision: Precision, gradients: Precision): number =>
  Math.max(BYTES_PER_ELEMENT[precision], BYTES_PER_ELEMENT[gradients]);

/** Bytes of model states that a rank is responsible for, wherever they are. */
function states(setting: MemorySetting) {
  const { zeroStage, ranks, precision, gradients, reduction, lora, shape } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const share = (fromStage: ZeroStage) => (zeroStage >= fromStage ? ranks : 1);
  const added = lora ? adapterParameters(shape, lora) : 0;
  const trained = lora ? added : shape.parameters;
  // ZeRO keeps an fp32 master copy whatever the precision; plain data parallelism needs none in fp32.
  const master = precision === "bf16" || zeroStage > 0 ? 1 : 0;
  return {
    trained,
    weights: Math.ceil(((shape.parameters + added) * bytes) / share(3)),
    gradients: Math.ceil(
      (trained * gradientBytes(precision, gradients)) / (reduction === "once" ? 1 : share(2)),
    ),
    optimizer: Math.ceil((trained * FP32 * (master + setting.optimizerMoments)) / share(1)),
    // The optimizer step casts its share of the gradients to fp32.
    fp32Gradients: Math.ceil((trained * FP32) / share(1)),
  };
}

function stateRows(setting: MemorySetting): MemoryRow[] {
  const { zeroStage, precision, gradients, offload, shape } = setting;
  const own = states(setting);
  const bytes = BYTES_PER_ELEMENT[precision];
  const bucket = zeroStage > 0 ? Math.min(setting.zeroBucket, shape.parameters) : 0;
  // ZeRO holds a reduction and a gather bucket, and of the former a copy where it is reduced in fp32.
  const wider = gradientBytes(precision, gradients) > bytes ? FP32 : 0;
  const buckets = bucket * (2 * bytes + wider);
  const away = offload !== "none";
  // What is gathered of offloaded weights at a time is limited to two buckets.
  const weights = offload === "all" ? Math.min(own.weights, 2 * bucket * bytes) : own.weights;
  return [
    { id: "weights", name: "weights", bytes: weights },
    {
      id: "gradients",
      name: "gradients",
      bytes: away && gradientsLeave(setting) ? 0 : own.gradients,
    },
    { id: "optimizer", name: "optimizer states", bytes: away ? 0 : own.optimizer },
    { id: "step", name: "step and buckets", bytes: (away ? 0 : own.fp32Gradients) + buckets },
  ];
}

/**
 * Whether reduced gradients leave for the host bucket by bucket where the optimizer is there: from stage 2 on, but
 * DeepSpeed's stage 2 adds in fp32 on the GPU.
 */
function gradientsLeave({ zeroStage, precision, gradients }: MemorySetting): boolean {
  const same = gradientBytes(precision, gradients) === BYTES_PER_ELEMENT[precision];
  return zeroStage === 3 || (zeroStage === 2 && same);
}

function hostRows(setting: MemorySetting): MemoryRow[] {
  const { offload, zeroStage } = setting;
  if (offload === "none") return [];
  const { weights, gradients, optimizer, fp32Gradients } = states(setting);
  const rows: MemoryRow[] = [
    { id: "weights", name: "weights", bytes: offload === "all" ? weights : 0 },
    { id: "optimizer", name: "optimizer states", bytes: optimizer },
    // Stage 3 adds them up in a buffer of its own.
    { id: "gradients", name: "gradients", bytes: zeroStage === 3 ? gradients : 0 },
    { id: "gradients-fp32", name: "gradients in fp32", bytes: fp32Gradients },
  ];
  return rows.filter(({ bytes }) => bytes > 0);
}

/** PyTorch's allocator does not see it. */
function communicatorRows({ groups }: MemorySetting): MemoryRow[] {
  const bytes = groups === null ? 0 : communicatorBytes(groups);
  return bytes === 0 ? [] : [{ id: "communicators", name: "communicators", bytes }];
}

/** A logit in the model's precision and in fp32; its gradient takes the place of the latter. */
export const bytesPerLogit = (precision: Precision): number =>
  precision === "fp32" ? FP32 : BYTES_PER_ELEMENT[precision] + FP32;

/** Logits of one chunk; the gradient of the output head's weight, added up in fp32 from a product of each chunk. */
function lossRows({ shape, precision, lossChunk, lora }: MemorySetting): MemoryRow[] {
  const bytes = BYTES_PER_ELEMENT[precision];
  const head = lora ? 0 : shape.vocab_size * shape.hidden_size;
  return [
    {
      id: "logits",
      name: "logits of a chunk",
      bytes: lossChunk * shape.vocab_size * bytesPerLogit(precision),
    },
    { id: "head-gradient", name: "output head's gradient", bytes: head * (FP32 + bytes) },
  ];
}

function activationRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, checkpointing } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const layer = layerBytes(shape, bytes, setting.fused);
  const boundary = bytes * shape.hidden_size;
  const whole = layer.attention + layer.mlp;
  // What the kernel made: its output, and a sum in fp32 for every head.
  const made = bytes * queryWidth(shape) + FP32 * shape.heads;
  const kept = {
    none: whole,
    selective: layer.attention + boundary,
    attention: boundary + made,
    full: boundary,
  }[checkpointing];
  const peak = checkpointing === "none" ? 0 : checkpointing === "selective" ? layer.mlp : whole;
  const layersKept = recomputesLayers(checkpointing) ? 1 : shape.layers;
  const factor = setting.activationFactor;
  return [
    { id: "activations", name: "activations", bytes: factor * shape.layers * kept },
    { id: "layer-at-work", name: "one layer at work", bytes: factor * (peak + whole) },
    // Attention keeps its keys and values for the backward.
    {
      id: "gathered",
      name: "gathered keys and values",
      bytes: (layersKept + 2) * gatheredBytes(setting),
    },
    {
      // The loss has its own copy of what it takes, and its gradient.
      id: "model-ends",
      name: "embedding, final norm, inputs",
      bytes: 4 * boundary + 2 * FP32 * shape.hidden_size + 24,
    },
    ...routerRows(setting),
    ...orderedSumRows(setting),
  ];
}

/** The most multiprocessors of a GPU in the catalogue: a B200's. */
const MULTIPROCESSORS = 148;

/**
 * FlashAttention-2 takes ceil(multiprocessors / (sequences x heads)) copies of the fp32 gradient of queries, of all heads
 * of a call (`mha_varlen_bwd` of flash_api.cpp): most for one sequence and few heads.
 */
function orderedSumRows({ shape, orderedSums }: MemorySetting): MemoryRow[] {
  if (!orderedSums) return [];
  const copies = MULTIPROCESSORS + shape.heads;
  const bytes = (copies * FP32 * queryWidth(shape)) / shape.heads;
  return [{ id: "ordered-sums", name: "attention's sums in order", bytes }];
}

/** A layer's keys and values of a token that is shared by a whole group; none where no sequence is shared. */
export const gatheredBytes = ({ shape, precision, largestGroup }: MemorySetting): number =>
  largestGroup > 1 ? largestGroup * keyValueWidth(shape) * BYTES_PER_ELEMENT[precision] : 0;

/** The loss of the router keeps its logits, and their probabilities in fp32, of every layer. */
function routerRows({ shape: { experts }, precision, routerLoss }: MemorySetting): MemoryRow[] {
  if (!routerLoss || !experts) return [];
  const bytes = experts.layers * experts.count * (BYTES_PER_ELEMENT[precision] + FP32);
  return [{ id: "router", name: "loss of the router", bytes }];
}

/** Bytes a token leaves for the backward in one layer. Norms compute in fp32: input, normalised, output. */
function layerBytes(shape: TransformerShape, bytes: number, fused: boolean) {
  const { hidden_size: hidden } = shape;
  // A fused norm keeps its input, a fused gated MLP neither its activated gate.
  const norm = fused ? hidden * bytes + FP32 : hidden * (2 * FP32 + bytes);
  const query = queryWidth(shape);
  const keyValue = keyValueWidth(shape);
  const logSumExp = FP32 * shape.heads;
  const tensors = 2 * (mlpMatrices(shape) - 1) - (fused && mlpMatrices(shape) === 3 ? 1 : 0);
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
