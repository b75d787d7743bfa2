import { layerInputBytes } from "./layer-inputs.js";
import type { MemoryPhase, MemoryRow } from "./memory-model.js";
import type { MemorySetting } from "./memory-setting.js";
import { AROUND_LOSS, momentsOfLayers } from "./moments.js";
import { BYTES_PER_ELEMENT, keyValueWidth, queryWidth, recomputesLayers } from "./shape.js";

const FP32 = 4;
/** Bytes of an element while an RMSNorm runs backward, in fp32 for the most part. */
const NORM_BACKWARD = 24;

const AT_WORK = "one layer at work";

/** Bytes that a token leaves in one layer, by part. */
export interface LayerBytes {
  readonly inputNorm: number;
  /**
   * Rotated queries and keys, values, the kernel's output and its sums; with norms of heads. Where a rank has sequences of
   * its own beside shared ones, both outputs and the two together.
   */
  readonly attention: number;
  /** What the kernel made: its output, and a sum in fp32 for every head. */
  readonly made: number;
  readonly postNorm: number;
  /** Gate, activated gate, up and their product; or up and its activation. */
  readonly mlp: number;
  /** Of the layer that has most, where dense ones and ones with experts alternate. */
  readonly mlpAgain: number;
  /** What its backward needs besides: gradients, less what it has used up by then. */
  readonly mlpAtWork: number;
}

/** What autograd keeps of a Hugging Face layer. Frozen norms do not keep what their weight was multiplied with. */
export function layerBytes(setting: MemorySetting): LayerBytes {
  const { shape, precision, lora } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const { heads, kv_heads, hidden_size: hidden } = shape;
  const query = queryWidth(shape);
  const keyValue = keyValueWidth(shape);
  const made = bytes * query + FP32 * heads;
  const headNorms = shape.query_key_norm
    ? (FP32 + (lora ? 0 : bytes)) * (query + keyValue / 2) + FP32 * (heads + kv_heads)
    : 0;
  const matrices = lora?.matrices ?? { attention: 0, mlp: 0 };
  const adapters = adapterBytes(setting);
  return {
    inputNorm: normBytes(setting, hidden, lora === null || matrices.attention > 0),
    attention:
      bytes * (query * (setting.largestGroup > 1 ? 2 : 1) + keyValue) +
      made +
      headNorms +
      adapters.attention,
    made,
    // It is what a recomputed MLP begins with.
    postNorm: normBytes(
      setting,
      hidden,
      lora === null || matrices.mlp > 0 || recomputesMlp(setting),
    ),
    mlp: mlpBytes(setting, meanOverLayers) + adapters.mlp,
    mlpAgain: mlpBytes(setting, largestLayer) + adapters.mlp,
    mlpAtWork: mlpWork(setting),
  };
}

/** What adapters of linear modules keep: the narrow product; with DoRA, the outputs of both paths. */
function adapterBytes({ lora, precision }: MemorySetting): Record<"attention" | "mlp", number> {
  const bytes = BYTES_PER_ELEMENT[precision];
  const of = (part: "attention" | "mlp") =>
    lora ? bytes * (lora.rank * lora.matrices[part] + 2 * (lora.dora?.outputs[part] ?? 0)) : 0;
  return { attention: of("attention"), mlp: of("mlp") };
}

/** Experts whose weights have no gradients: neither trained nor with adapters, of which peft makes a sum. */
const frozenExperts = ({ lora }: MemorySetting): boolean => lora !== null && !lora.stacked;

/** What becomes of a dense layer's bytes and of those of one with experts. */
type Combine = (setting: MemorySetting, dense: number, sparse: number) => number;

/** Tensors of a dense MLP's width, or copies of the token and tensors of its experts' width. */
function mlpBytes(setting: MemorySetting, combine: Combine): number {
  const { shape, precision } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const dense = bytes * shape.intermediate_size * mlpTensors(setting);
  const { experts } = shape;
  if (!experts) return dense;
  const { active, count, width } = experts;
  // Frozen experts keep no product, and no copies for gradients of their weights.
  const [tensors, copies] = frozenExperts(setting) ? [3, 1] : [4, 2];
  const routing = 26 * active + FP32 * count + 12 * active + FP32;
  const sparse = bytes * active * (tensors * width + copies * shape.hidden_size) + routing;
  return combine(setting, dense, sparse);
}

/**
 * Gradients of up, gate and their product, and of the input; the product itself is used up. Of experts, those of their
 * copies of the token or those of their tensors, whichever are more.
 */
function mlpWork(setting: MemorySetting): number {
  const { shape, precision, lora } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const { hidden_size: hidden, intermediate_size: width, experts } = shape;
  const plain = lora && lora.matrices.mlp > 0 ? 2 * width : width + hidden;
  const dense = bytes * (shape.gated_mlp ? 2 * width + hidden : plain);
  if (!experts) return dense;
  const { active } = experts;
  const tensors = (frozenExperts(setting) ? 2.75 : 2) * active * experts.width;
  const sparse = bytes * (hidden + Math.max(3 * active * hidden, tensors));
  return largestLayer(setting, dense, sparse);
}

function meanOverLayers({ shape }: MemorySetting, dense: number, sparse: number): number {
  const share = (shape.experts?.layers ?? 0) / shape.layers;
  return (1 - share) * dense + share * sparse;
}

/**
 * RMSNorm computes in fp32: its input there, the normalised in the model's precision, and its output, which matrices keep.
 * LayerNorm and a fused norm keep input and output.
 */
function normBytes(
  { shape, precision, fused, lora }: MemorySetting,
  width: number,
  outputKept: boolean,
): number {
  const bytes = BYTES_PER_ELEMENT[precision];
  const output = outputKept ? bytes : 0;
  if (shape.layer_norm) return width * (bytes + output) + 2 * FP32;
  const normalised = lora ? 0 : bytes;
  const own = fused ? bytes : FP32 + normalised;
  return width * (own + output) + FP32;
}

/** Tensors of the MLP's width that are kept. A fused one makes its activated gate again. */
function mlpTensors({ shape, fused, lora }: MemorySetting): number {
  const product = lora && lora.matrices.mlp === 0 ? 0 : 1;
  if (!shape.gated_mlp) return 1 + product;
  return (fused ? 2 : 3) + product;
}

function largestLayer({ shape }: MemorySetting, dense: number, sparse: number): number {
  const { experts, layers } = shape;
  if (!experts) return dense;
  return experts.layers < layers ? Math.max(dense, sparse) : sparse;
}

/** Rows of every token of a bucket: what layers keep, what one at work needs besides, and what comes before and after. */
export function activationRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, checkpointing, activationFactor: factor } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const layer = layerBytes(setting);
  const boundary = bytes * shape.hidden_size;
  const attention = layer.inputNorm + layer.attention + layer.postNorm;
  const kept = {
    none: attention + (setting.mlpTile === null ? layer.mlp : 0),
    selective: attention,
    attention: boundary + layer.made,
    full: boundary,
    offload: 0,
  }[checkpointing];
  const again = recomputesLayers(checkpointing)
    ? attention - (checkpointing === "attention" ? layer.made : 0)
    : 0;
  return [
    { id: "activations", name: "activations", bytes: factor * shape.layers * kept },
    ...(setting.mlpTile === null
      ? workRows(setting, layer, again)
      : tiledRows(setting, layer, again)),
    ...travellingRows(setting),
    ...endRows(setting),
    ...routerRows(setting),
  ];
}

/** A LayerNorm runs backward in the model's precision: input, gradient, and those of both around it. */
const normBackward = ({ shape, precision }: MemorySetting): number =>
  shape.layer_norm ? 4 * BYTES_PER_ELEMENT[precision] : NORM_BACKWARD;

/** Whether the backward begins with an MLP's input alone. */
const recomputesMlp = ({ checkpointing, mlpTile }: MemorySetting): boolean =>
  checkpointing === "selective" || mlpTile !== null;

/** A layer at work whose MLP takes all tokens at once, `again` being what else of it has run again. */
function workRows(setting: MemorySetting, layer: LayerBytes, again: number): MemoryRow[] {
  const mlpAgain = setting.checkpointing === "none" ? 0 : layer.mlpAgain;
  const bytes = setting.activationFactor * (again + mlpAgain + layer.mlpAtWork);
  return [
    { id: "layer-at-work", name: AT_WORK, bytes, phase: "layers" },
    ...expertRows(setting, bytes),
  ];
}

/**
 * A layer at work whose MLP takes a tile of tokens at a time: what that needs whatever the tokens, beside gradients of the
 * input and the output; and then the norm before it.
 */
function tiledRows(setting: MemorySetting, layer: LayerBytes, again: number): MemoryRow[] {
  const { shape, precision, lora, mlpTile, activationFactor: factor } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const { hidden_size: hidden, intermediate_size: width } = shape;
  // Where weights have gradients, the product is there until the end.
  const ofTile = layer.mlpAgain + layer.mlpAtWork + (lora ? 0 : bytes * width);
  // Its input's and the output's copies are used up by then.
  const norm = hidden * (normBackward(setting) - bytes * (lora ? 2 : 3));
  const work = { id: "layer-at-work", name: AT_WORK } as const;
  const tile = factor * ofTile;
  return [
    { ...work, bytes: factor * (again + 2 * hidden * bytes), phase: "layers" },
    {
      ...work,
      name: "a tile of an MLP at work",
      bytes: tile,
      most: (mlpTile ?? 0) * tile,
      phase: "layers",
    },
    { ...work, bytes: factor * (again + norm), phase: "norm" },
  ];
}

/**
 * A layer at work when its experts' weights get their gradients: those of down matrices come when the product's gradient is
 * used up, those of gate and up, twice as large, when all tensors of the experts' width are.
 */
function expertRows(setting: MemorySetting, atWork: number): MemoryRow[] {
  const { shape, precision } = setting;
  const { experts } = shape;
  if (!experts || frozenExperts(setting)) return [];
  const tensor = BYTES_PER_ELEMENT[precision] * experts.active * experts.width;
  return [
    { id: "layer-at-work", name: AT_WORK, bytes: atWork - tensor, phase: "down" },
    { id: "layer-at-work", name: AT_WORK, bytes: atWork - 4 * tensor, phase: "gate" },
  ];
}

/** Layer inputs that are on their way to or from the host. With adapters up to two more stay: frozen weights keep none. */
function travellingRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision, checkpointing, lora } = setting;
  if (checkpointing !== "offload") return [];
  const row = (phase: MemoryPhase, inputs: number): MemoryRow => ({
    id: "checkpoints",
    name: "layer inputs on their way",
    bytes: (lora ? 3 : inputs) * shape.hidden_size * BYTES_PER_ELEMENT[precision],
    phase,
  });
  // Those of the last two layers have not left yet; later the one before that at work is on its way back.
  return [
    ...AROUND_LOSS.map((phase) => row(phase, 2)),
    ...momentsOfLayers(setting).map((phase) => row(phase, 1)),
  ];
}

/** Of every token, in the host's memory: the inputs of all layers, pinned. */
export function hostActivationRows({
  shape,
  precision,
  checkpointing,
}: MemorySetting): MemoryRow[] {
  if (checkpointing !== "offload") return [];
  const bytes = layerInputBytes(shape, precision);
  return [{ id: "checkpoints", name: "layer inputs", bytes }];
}

/** Inputs and rotary embeddings all along; around the loss, its copy of the final norm's output with gradients. */
function endRows(setting: MemorySetting): MemoryRow[] {
  const { shape, precision } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const { hidden_size: hidden, head_dim: width } = shape;
  const name = "final norm, and what the loss takes";
  return [
    { id: "model-ends", name: "inputs, rotary embeddings", bytes: 2 * bytes * width + 48 },
    { id: "model-ends", name, bytes: hidden * (FP32 + 4 * bytes), phase: "loss" },
    { id: "model-ends", name, bytes: hidden * (FP32 + 2 * bytes), phase: "head" },
    { id: "model-ends", name, bytes: hidden * normBackward(setting), phase: "final" },
  ];
}

/** The loss of the router keeps its logits, and their probabilities in fp32, of every layer. */
function routerRows({ shape: { experts }, precision, routerLoss }: MemorySetting): MemoryRow[] {
  if (!routerLoss || !experts) return [];
  const bytes = experts.layers * experts.count * (BYTES_PER_ELEMENT[precision] + FP32);
  return [{ id: "router", name: "loss of the router", bytes }];
}
