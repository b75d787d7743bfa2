import type { MemoryPhase, MemoryRow } from "./memory-model.js";
import type { MemorySetting, ZeroStage } from "./memory-setting.js";
import { AROUND_LOSS, momentsOfLayers } from "./moments.js";
import { reductionBuckets } from "./overlap.js";
import { BYTES_PER_ELEMENT, type Precision } from "./shape.js";
import { gatheredAtEnds, gatheredInLayers } from "./zero-gather.js";

const FP32 = 4;
/** Python, PyTorch, CUDA's libraries and the token store's open tables, of a rank. Assumed. */
const PROCESS_BYTES = 2.5 * 2 ** 30;
/** Elements that DeepSpeed's stage 3 steps at a time (`sub_group_size`). */
const SUB_GROUP = 1e9;

/** Bytes of a gradient while micro-batches, and ranks, are added up. */
export const gradientBytes = (precision: Precision, gradients: Precision): number =>
  Math.max(BYTES_PER_ELEMENT[precision], BYTES_PER_ELEMENT[gradients]);

/** Bytes of model states that a rank is responsible for, wherever they are. */
function states(setting: MemorySetting) {
  const { zeroStage, ranks, precision, gradients, reduction, lora, shape } = setting;
  const bytes = BYTES_PER_ELEMENT[precision];
  const share = (fromStage: ZeroStage) => (zeroStage >= fromStage ? ranks : 1);
  const added = lora ? lora.parameters : 0;
  const trained = lora ? added : shape.parameters;
  return {
    trained,
    weights: Math.ceil(((shape.parameters + added) * bytes - savedBytes(setting)) / share(3)),
    gradients: Math.ceil(
      (trained * gradientBytes(precision, gradients)) / (reduction === "once" ? 1 : share(2)),
    ),
    optimizer: Math.ceil((trained * (setting.masterBytes + setting.momentBytes)) / share(1)),
    /** Of its own share, elements. */
    own: Math.ceil(trained / share(1)),
    // The optimizer step casts its share of the gradients to the precision of its own weights: stage 3 a sub-group at a time.
    fp32Gradients: Math.ceil((trained * (setting.masterBytes || FP32)) / share(1)),
  };
}

/** What frozen weights in four bits save. */
const savedBytes = ({ lora, precision }: Pick<MemorySetting, "lora" | "precision">): number =>
  lora?.fourBit
    ? lora.fourBit.weights * (BYTES_PER_ELEMENT[precision] - lora.fourBit.bitsPerWeight / 8)
    : 0;

/** On the GPU: what a rank keeps all along, and what the optimizer's step needs when activations are gone. */
export function stateRows(setting: MemorySetting): MemoryRow[] {
  const { zeroStage, precision, gradients, offload, shape } = setting;
  const own = states(setting);
  const bytes = BYTES_PER_ELEMENT[precision];
  const bucket = zeroStage > 0 ? Math.min(setting.zeroBucket, shape.parameters) : 0;
  // ZeRO holds reduction buckets and one to gather in, and a copy of what it reduces where that is in fp32.
  const buckets = reductionBuckets(reductionSetting(setting)) + 1;
  const wider = gradientBytes(precision, gradients) > bytes ? FP32 : 0;
  const away = offload !== "none";
  // Of offloaded weights only the shares of what is gathered are on the GPU.
  const gathered = Math.ceil((gatheredInLayers(shape) * bytes) / setting.ranks);
  const weights = offload === "all" ? Math.min(own.weights, gathered) : own.weights;
  return [
    { id: "weights", name: "weights", bytes: weights },
    {
      id: "gradients",
      name: "gradients",
      bytes: away && gradientsLeave(setting) ? 0 : own.gradients,
    },
    { id: "optimizer", name: "optimizer states", bytes: away ? 0 : own.optimizer },
    { id: "buckets", name: "ZeRO's buckets", bytes: bucket * (buckets * bytes + wider) },
    {
      id: "step",
      name: "gradients in fp32, for the step",
      bytes: away ? 0 : Math.min(own.fp32Gradients, zeroStage === 3 ? SUB_GROUP * FP32 : Infinity),
      phase: "step",
    },
    ...gatheredWeightRows(setting),
  ];
}

/** How ZeRO reduces; a rank without communicators is on CPU. */
const reductionSetting = ({ zeroStage, reduction, offload, groups, ranks }: MemorySetting) => ({
  stage: zeroStage,
  reduction,
  offload,
  device: groups === null ? ("cpu" as const) : ("cuda" as const),
  ranks,
});

/** Weights that ZeRO 3 has gathered, at each moment. */
function gatheredWeightRows(setting: MemorySetting): MemoryRow[] {
  const { zeroStage, precision, shape } = setting;
  if (zeroStage < 3) return [];
  const row = (phase: MemoryPhase, parameters: number): MemoryRow => ({
    id: "gathered-weights",
    name: "weights gathered at a time",
    bytes: parameters * BYTES_PER_ELEMENT[precision],
    phase,
  });
  return [
    ...momentsOfLayers(setting).map((phase) => row(phase, gatheredInLayers(shape))),
    ...AROUND_LOSS.map((phase) => row(phase, gatheredAtEnds(shape))),
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

/** PyTorch's allocator of pinned memory rounds every block up to a power of two (pytorch/pytorch#95823). */
export const pinned = (bytes: number): number =>
  bytes <= 0 ? 0 : 2 ** Math.ceil(Math.log2(bytes));

/** Pinned bytes of elements that stage 3 holds a sub-group at a time (`initialize_optimizer_states` of its stage3.py). */
const pinnedBySubGroup = (elements: number, bytes: number): number =>
  Math.floor(elements / SUB_GROUP) * pinned(SUB_GROUP * bytes) +
  pinned((elements % SUB_GROUP) * bytes);

/**
 * In the host's memory. What is copied to and from the GPU is pinned: the gradients, under stages 1 and 2 the master
 * weights, and the weights in the model's precision, which these stages keep a buffer of
 * (`param_buffer_of_bit16_for_cpu_offload_groups` of DeepSpeed's stage_1_and_2.py). Adam's moments are not.
 */
export function hostStateRows(setting: MemorySetting): MemoryRow[] {
  const { groups } = setting;
  // On CPU all memory is the host's, and is counted as the rank's own.
  const process: MemoryRow = { id: "process", name: "process", bytes: PROCESS_BYTES };
  return [...offloadedRows(setting), ...(groups === null ? [] : [process])];
}

function offloadedRows(setting: MemorySetting): MemoryRow[] {
  const { offload, zeroStage, precision } = setting;
  if (offload === "none") return [];
  const { weights, gradients, optimizer, own, fp32Gradients } = states(setting);
  const third = zeroStage === 3;
  const master = Math.min(optimizer, own * setting.masterBytes);
  const rows: MemoryRow[] = [
    { id: "weights", name: "weights", bytes: offload === "all" ? pinned(weights) : 0 },
    {
      id: "optimizer",
      name: "optimizer states",
      bytes: third ? optimizer : pinned(master) + (optimizer - master),
    },
    {
      id: "host-buffer",
      name: "updated weights",
      bytes: third ? 0 : pinned(own * BYTES_PER_ELEMENT[precision]),
    },
    // Stage 3 adds them up in a buffer of its own.
    { id: "gradients", name: "gradients", bytes: third ? pinned(gradients) : 0 },
    {
      id: "gradients-fp32",
      name: "gradients in fp32",
      bytes: third ? pinnedBySubGroup(own, setting.masterBytes || FP32) : pinned(fp32Gradients),
    },
  ];
  return rows.filter(({ bytes }) => bytes > 0);
}
