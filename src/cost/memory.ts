import { activationRows, hostActivationRows } from "./activations.js";
import { adaptedWeightRows } from "./adapted-weights.js";
import { attentionRows, windowRows } from "./attention-memory.js";
import { communicatorBytes } from "./communicators.js";
import { mlpParameters } from "./layer-parameters.js";
import { type MemoryModel, type MemoryRow, rowsAt, totalBytes } from "./memory-model.js";
import type { MemorySetting } from "./memory-setting.js";
import { BYTES_PER_ELEMENT, type Precision } from "./shape.js";
import { hostStateRows, stateRows } from "./states.js";

export type { Reduction } from "../foundation/vocabularies.generated.js";
export type {
  AttentionKernel,
  MemorySetting,
  Offload,
  OptimizerStates,
  ZeroStage,
} from "./memory-setting.js";

/**
 * CUDA's context, its libraries and loaded kernels: 0.47 to 0.92 GiB on an A100 (github:stas00/ml-engineering@744d01e
 * training/performance).
 */
const CONTEXT_BYTES = 0.8 * 2 ** 30;
/** Of what tokens take: gaps that the allocator leaves with expandable segments. Assumed. */
const FRAGMENTATION = 0.05;

/**
 * Memory of one rank by what holds it. Activations follow what autograd keeps of the Hugging Face layers, as the ledger
 * of bench:roofline counts it: a model, to be replaced by a measured profile where there is one.
 */
export function memoryModel(setting: MemorySetting): MemoryModel {
  const perToken = [...activationRows(setting), ...attentionRows(setting)];
  return {
    fixed: [
      ...stateRows(setting),
      ...lossRows(setting),
      ...windowRows(setting),
      ...adaptedWeightRows(setting),
      ...deviceRows(setting),
    ],
    perToken: [...perToken, ...fragmentationRows(setting, perToken)],
    host: hostStateRows(setting),
    hostPerToken: hostActivationRows(setting),
  };
}

/** PyTorch's allocator does not see them. */
function deviceRows({ groups }: MemorySetting): MemoryRow[] {
  if (groups === null) return [];
  const bytes = communicatorBytes(groups);
  const context: MemoryRow = { id: "context", name: "CUDA context", bytes: CONTEXT_BYTES };
  return bytes === 0 ? [context] : [context, { id: "communicators", name: "communicators", bytes }];
}

/** Of what is kept and of a layer at work. */
function fragmentationRows({ groups }: MemorySetting, rows: readonly MemoryRow[]): MemoryRow[] {
  if (groups === null) return [];
  const growing = rows.filter(({ most }) => most === undefined);
  const held = (["layers", "norm"] as const).map((phase) => totalBytes(rowsAt(phase, growing)));
  const bytes = FRAGMENTATION * Math.max(...held);
  return [{ id: "fragmentation", name: "fragmentation", bytes }];
}

/** Logits, whose softmax and gradient take their place, and another copy in fp32 or the gradient in both precisions. */
export const bytesPerLogit = (precision: Precision): number => (precision === "fp32" ? 8 : 10);

/**
 * Logits of one chunk, with the gradient of the output head's weight, which chunks add up in fp32. Afterwards it is
 * cast, and added to that of other micro-batches.
 */
function lossRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, lossChunk, lora } = setting;
  const head = lora && !lora.ends.head ? 0 : shape.vocab_size * shape.hidden_size;
  const name = "output head's gradient";
  const wide = head * BYTES_PER_ELEMENT.fp32;
  return [
    {
      id: "logits",
      name: "logits of a chunk",
      bytes: lossChunk * shape.vocab_size * bytesPerLogit(precision),
      phase: "loss",
    },
    { id: "head-gradient", name, bytes: wide, phase: "loss" },
    {
      id: "head-gradient",
      name,
      bytes: wide + head * BYTES_PER_ELEMENT[precision],
      phase: "head",
    },
    ...weightGradientRows(setting),
  ];
}

/**
 * Gradients of weights that wait while layers run backward: a tied head's for that of the embedding, and a plain MLP's
 * for being added to that of other micro-batches.
 */
function weightGradientRows({ shape, precision, lora, mlpTile }: MemorySetting): MemoryRow[] {
  if (lora && !lora.ends.head) return [];
  const bytes = BYTES_PER_ELEMENT[precision];
  const head = shape.tied_embeddings ? shape.vocab_size * shape.hidden_size : 0;
  const plain = shape.gated_mlp || lora ? 0 : bytes * shape.intermediate_size * shape.hidden_size;
  // Tiles are added up in fp32.
  const mlp =
    mlpTile === null || lora ? plain : (BYTES_PER_ELEMENT.fp32 + bytes) * mlpParameters(shape);
  const { experts } = shape;
  const down = experts && !lora ? experts.count * experts.width * shape.hidden_size : 0;
  const name = "gradients at work";
  const rows: MemoryRow[] = [
    { id: "weight-gradients", name, bytes: bytes * head, phase: "final" },
    { id: "weight-gradients", name, bytes: bytes * head + mlp, phase: "layers" },
    { id: "weight-gradients", name, bytes: mlpTile === null ? 0 : bytes * head, phase: "norm" },
    { id: "weight-gradients", name, bytes: experts ? bytes * (head + down) : 0, phase: "down" },
    { id: "weight-gradients", name, bytes: experts ? bytes * (head + 2 * down) : 0, phase: "gate" },
    { id: "weight-gradients", name, bytes: bytes * head, phase: "attention" },
  ];
  return rows.filter((row) => row.bytes > 0);
}
