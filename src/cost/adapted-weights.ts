import type { DoraShape, LoraShape, StackedShape } from "./adapters.js";
import type { MemoryPhase, MemoryRow } from "./memory-model.js";
import type { MemorySetting } from "./memory-setting.js";
import { momentsOfLayers } from "./moments.js";
import {
  activeMlpWidth,
  BYTES_PER_ELEMENT,
  type Checkpointing,
  mlpMatrices,
  type Precision,
  recomputesLayers,
  type TransformerShape,
} from "./shape.js";

const FP32 = 4;

/** What a micro-batch takes for weights that adapters are added to, whatever its tokens. */
export interface WholeWeightsWork {
  readonly flops: number;
  /** Moved in the GPU's memory. */
  readonly bytes: number;
}

/**
 * peft's DoRA makes the product of every adapter's two matrices in each forward, from the unit matrix, and the norm of
 * its sum with the weight (`DoraLinearLayer`); it adds adapters of stacked experts to their weights (`ParamWrapper`).
 */
export function wholeWeightsWork(
  lora: LoraShape | null,
  checkpointing: Checkpointing,
  precision: Precision,
): WholeWeightsWork {
  const forwards = recomputesLayers(checkpointing) ? 2 : 1;
  let flops = 0;
  let elements = 0;
  for (const { inputs, outputs, count } of lora?.dora?.sizes ?? []) {
    flops += forwards * count * 2 * inputs * (lora?.rank ?? 0) * (inputs + outputs);
    // The product is written, scaled, added and measured; the unit matrix is written and read.
    elements += forwards * count * (2 * inputs * inputs + 7 * inputs * outputs);
  }
  if (lora?.fourBit) {
    // Read in four bits, written and read again, in every forward and in the backward.
    const { weights, bitsPerWeight } = lora.fourBit;
    elements += (forwards + 1) * weights * (2 + bitsPerWeight / (8 * BYTES_PER_ELEMENT[precision]));
  }
  if (lora?.stacked) {
    const again = checkpointing === "none" ? 1 : 2;
    const own = lora.stacked.layers * lora.stacked.elements;
    // Forward, and gradients of both factors; the weight is read and written, its gradient written and read twice.
    flops += (again + 2) * 2 * lora.rank * own;
    elements += (2 * again + 3) * own;
  }
  return { flops, bytes: elements * BYTES_PER_ELEMENT[precision] };
}

/** FLOPs of a token, over all layers, in gradients of stacked experts' weights, of which the adapters' are made. */
export function stackedGradientWork(shape: TransformerShape, lora: LoraShape | null): number {
  const { experts } = shape;
  if (!lora?.stacked || !experts) return 0;
  const whole = experts.width * mlpMatrices(shape) * shape.hidden_size * experts.count;
  const share = Math.min(1, lora.stacked.elements / whole);
  const width = activeMlpWidth({ ...shape, layers: experts.layers });
  return share * 2 * mlpMatrices(shape) * shape.hidden_size * width * experts.layers;
}

/** Weights with their adapters, and what they are made of, that a rank holds besides. */
export function adaptedWeightRows(setting: MemorySetting): MemoryRow[] {
  const { lora } = setting;
  const dora = lora?.dora ? doraBytes(setting, lora.dora) : 0;
  const { shape, precision } = setting;
  // A matrix as it is computed with, in the forward and in the backward.
  const whole = BYTES_PER_ELEMENT[precision] * (lora?.fourBit?.largest ?? 0);
  // Rows of new tokens stand in a copy of the head while it is at work.
  const head = lora?.ends.rows
    ? BYTES_PER_ELEMENT[precision] * shape.vocab_size * shape.hidden_size
    : 0;
  const row = { id: "adapted-weights", name: "weights with their adapters" } as const;
  const rows: MemoryRow[] = [
    ...(["loss", "head"] as const).map((phase) => ({
      ...row,
      name: "output head with its new rows",
      bytes: head,
      phase,
    })),
    ...momentsOfLayers(setting).map((phase) => ({
      ...row,
      name: "weights with their adapters, at work",
      bytes: dora + whole,
      phase,
    })),
    ...(lora?.stacked ? stackedRows(setting, lora.stacked) : []),
  ];
  return rows.filter(({ bytes }) => bytes > 0);
}

/** The unit matrix, the product, its multiple and the sum, of the largest. Under ZeRO 3 adapters are in fp32. */
function doraBytes({ precision, zeroStage }: MemorySetting, { sizes }: DoraShape): number {
  const bytes = BYTES_PER_ELEMENT[precision];
  const own = zeroStage === 3 ? FP32 : bytes;
  const of = sizes.map(
    ({ inputs, outputs }) => own * inputs * (inputs + outputs) + 2 * bytes * inputs * outputs,
  );
  return Math.max(0, ...of);
}

/**
 * Sums of stacked weights and their adapters. Autograd keeps them for the backward, of a layer where that runs again; there
 * every sum has its gradient, the last one's first, and is gone before the next.
 */
function stackedRows(
  { precision, checkpointing }: MemorySetting,
  { layers, elements, sizes }: StackedShape,
): MemoryRow[] {
  const bytes = BYTES_PER_ELEMENT[precision];
  const kept = checkpointing === "none" ? elements : 0;
  const row = (name: string, held: number, phase?: MemoryPhase): MemoryRow => ({
    id: "adapted-weights",
    name,
    bytes: bytes * held,
    ...(phase ? { phase } : {}),
  });
  const upTo = (count: number) => sizes.slice(0, count).reduce((sum, size) => sum + size, 0);
  const withGradients = sizes.map((size, n) => upTo(n + 1) + size);
  const [last = 0] = withGradients.slice(-1);
  const others = Math.max(0, ...withGradients.slice(0, -1));
  const name = "weights with their adapters, at work";
  return [
    row("weights with their adapters", layers * kept),
    row(name, elements - kept, "layers"),
    row(name, last - kept, "down"),
    row(name, Math.max(0, others - kept), "gate"),
  ];
}
