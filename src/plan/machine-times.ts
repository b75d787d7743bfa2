import { wholeWeightsWork } from "../cost/adapted-weights.js";
import type { LoraShape } from "../cost/adapters.js";
import {
  type CollectiveCounts,
  type CollectiveSetting,
  communicationRow,
} from "../cost/collectives.js";
import { type ElementwiseWork, elementwiseWork } from "../cost/elementwise.js";
import type { Hardware } from "../cost/hardware.js";
import { startTime } from "../cost/host-time.js";
import type { Offload, OptimizerStates, Reduction, ZeroStage } from "../cost/memory.js";
import { orthogonalisationFlops } from "../cost/orthogonalise.js";
import {
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  type Precision,
  recomputesLayers,
  type TransformerShape,
} from "../cost/shape.js";
import { gradientBytes } from "../cost/states.js";
import { type StepSetting, type StepTime, stepTime } from "../cost/step-time.js";
import { paperWork, trainingWork, type Work } from "../cost/work.js";
import { type ZeroTraffic, zeroTraffic } from "../cost/zero.js";
import type { Problem } from "../schedule/problem.js";

export interface CostSetting {
  /** From the model's exact dimensions, or the paper's generic layer. */
  readonly formula: "exact" | "skrull-paper";
  readonly shape: TransformerShape;
  readonly precision: Precision;
  /** What gradients are added in, over ranks too. */
  readonly gradients: Precision;
  readonly checkpointing: Checkpointing;
  readonly hardware: Hardware;
  /** Sizes of the groups that a schedule may use, 1 not counted. */
  readonly degrees: readonly number[];
  readonly gpusPerNode: number;
  readonly networkBytesPerSecond: number;
  /** Share of tokens that are targets of the loss. */
  readonly targetShare: number;
  /** The data's lengths in tokens. */
  readonly lengths: readonly number[];
  readonly zeroStage: ZeroStage;
  readonly reduction: Reduction;
  readonly ranks: number;
  readonly offload: Offload;
  /** `null` where every weight is trained. */
  readonly lora: LoraShape | null;
  /** What the optimizer keeps. */
  readonly states: OptimizerStates;
  /** Whether it orthogonalises the updates of matrices. */
  readonly orthogonalises: boolean;
  /** Whether norms, rotary embeddings and gated MLPs are fused. */
  readonly fused: boolean;
  readonly compiledNorms: boolean;
}

/** ZeRO's communication over all ranks: modelled from the same latencies. Frozen weights have no gradients. */
export function zeroCost(setting: CostSetting): ZeroTraffic {
  const { shape, lora } = setting;
  const trained = trainedParameters(setting);
  return zeroTimes(setting, { all: shape.parameters + (lora ? trained : 0), trained });
}

/** Parameters that ranks exchange: all weights, adapters too, and those that have gradients. */
interface Exchanged {
  readonly all: number;
  readonly trained: number;
}

function zeroTimes(setting: CostSetting, { all, trained }: Exchanged): ZeroTraffic {
  const { ranks, precision, gradients } = setting;
  if (ranks === 1) return { perMicroBatch: 0, perStep: 0 };
  const timeOf = (parameters: number, bytes: number, counts: CollectiveCounts) => {
    const whole = { ...groupSetting(setting), bytesPerToken: parameters * bytes, counts };
    const [floor, intercept, slope] = communicationRow(ranks, whole);
    return Math.max(floor, intercept + slope);
  };
  const width = BYTES_PER_ELEMENT[precision];
  return zeroTraffic(setting.zeroStage, setting.reduction, {
    gatherAll: timeOf(all, width, { gathers: 1 }),
    gatherTrained: timeOf(trained, width, { gathers: 1 }),
    scatter: timeOf(trained, gradientBytes(precision, gradients), { scatters: 1 }),
  });
}

const trainedParameters = ({ shape, lora }: CostSetting): number =>
  lora ? lora.parameters : shape.parameters;

/** What a micro-batch and a step take whatever is in them, us. */
export interface FixedCost {
  readonly perMicroBatch: number;
  /** What a micro-batch takes at least, besides: beside its work. */
  readonly least: number;
  readonly perStep: number;
}

/**
 * Of the catalogue, from the model's layers and parameters; ZeRO's communication runs beside the work, but for a share.
 * A profile measured micro-batch and step in a run under ZeRO: another setting differs from it by the modelled
 * communication, and by the optimizer's time.
 */
export function fixedCost(setting: CostSetting): FixedCost {
  const { perMicroBatch, least } = microBatchCost(setting);
  const now = zeroCost(setting);
  const step = stepTime(stepSetting(setting));
  const { traffic, steps } = included(setting);
  const measured = setting.hardware.step_us;
  const own = measured === null ? step.perStep : measured + other(step.perStep, steps?.perStep);
  return { perMicroBatch, least, perStep: Math.max(0, own + now.perStep - traffic.perStep) };
}

/** What a setting takes more than the one that was measured; nothing where that is not known. */
const other = (now: number, measured: number | undefined): number =>
  measured === undefined ? 0 : now - measured;

function microBatchCost(setting: CostSetting): Omit<FixedCost, "perStep"> {
  const { constants, micro_batch_us, micro_batch_least_us, zero_overlap } = setting.hardware;
  const now = zeroCost(setting).perMicroBatch;
  const step = stepTime(stepSetting(setting)).perMicroBatch;
  const { traffic, steps } = included(setting);
  if (micro_batch_us === null) {
    const beside = constants.zero_overlap * now;
    const exposed = wholeWeights(setting) + step + now - beside - traffic.perMicroBatch;
    const start = startTime(startSetting(setting));
    return { perMicroBatch: Math.max(0, exposed), least: Math.max(start, beside) };
  }
  const overlap = zero_overlap ?? 0;
  const more = now - traffic.perMicroBatch;
  const exposed = micro_batch_us + (1 - overlap) * more + other(step, steps?.perMicroBatch);
  const least = micro_batch_least_us ?? 0;
  return {
    perMicroBatch: Math.max(0, exposed),
    // What is measured has its own setting's communication beside the work.
    least: more > 0 ? Math.max(least, overlap * now) : least,
  };
}

/** What adapters take that are added to whole weights, us; a measured micro-batch has it. */
function wholeWeights({ lora, checkpointing, precision, hardware }: CostSetting): number {
  const { flops, bytes } = wholeWeightsWork(lora, checkpointing, precision);
  const rate = hardware.memory_bandwidth;
  return (flops * 1e6) / hardware.matmul_flops + (rate === null ? 0 : (bytes * 1e6) / rate);
}

const startSetting = ({ shape, checkpointing, zeroStage, lora, hardware }: CostSetting) => ({
  shape,
  checkpointing,
  zeroStage,
  adapters: lora !== null,
  constants: hardware.constants,
});

const stepSetting = (setting: CostSetting): StepSetting => ({
  trained: trainedParameters(setting),
  parameters: setting.shape.parameters,
  zeroStage: setting.zeroStage,
  ranks: setting.ranks,
  ranksOfNode: setting.gpusPerNode,
  offload: setting.offload,
  stateBytes: setting.states.masterBytes + setting.states.momentBytes,
  optimizerFlops: setting.orthogonalises ? orthogonalisationFlops(setting.shape, setting.lora) : 0,
  matmulFlops: setting.hardware.matmul_flops,
  memoryBandwidth: setting.hardware.memory_bandwidth,
  hostLink: setting.hardware.host_link,
  hostAdam: setting.hardware.host_adam_parameters,
  constants: setting.hardware.constants,
});

/** What a profile's figures include: ZeRO's communication, and the optimizer's time. */
function included(setting: CostSetting): {
  readonly traffic: ZeroTraffic;
  readonly steps?: StepTime;
} {
  const { zero_included: of } = setting.hardware;
  if (!of) return { traffic: { perMicroBatch: 0, perStep: 0 } };
  const measured: CostSetting = {
    ...setting,
    zeroStage: of.stage,
    reduction: "every-micro-batch",
    ranks: of.ranks,
    gradients: of.gradients ?? setting.precision,
  };
  const { parameters, trained = parameters, offload = "none" } = of;
  const step = { ...stepSetting(setting), parameters, trained, offload };
  return {
    traffic: zeroTimes(measured, {
      all: parameters + (trained < parameters ? trained : 0),
      trained,
    }),
    steps: stepTime({ ...step, zeroStage: of.stage, ranks: of.ranks }),
  };
}

/** The scheduling problem's cost parameters, us, of a model on a machine. */
export function schedulingCost(setting: CostSetting): Problem["cost"] {
  const { hardware } = setting;
  const { flops, target_share } = demandOf(setting);
  const matmul = hardware.matmul_flops / 1e6;
  const attention = hardware.attention_flops / 1e6;
  const { perMicroBatch, least } = fixedCost(setting);
  return {
    a1:
      flops.body_per_token / matmul +
      elementwiseTime(setting).perToken +
      target_share * targetTime(setting) +
      flops.attention_per_token / attention,
    a2: flops.attention_per_token_squared / attention,
    fixed: perMicroBatch,
    least,
    small_shard_tokens: hardware.small_shard_tokens,
    comm: communication(setting),
  };
}

/** What a target takes in the output head and its loss, us. */
export function targetTime(setting: CostSetting): number {
  const products = demandOf(setting).flops.head_per_target / (setting.hardware.head_flops / 1e6);
  return products + elementwiseTime(setting).perTarget;
}

/** Norms, rotary embeddings, activations and residuals, us; nothing where matrix products include them. */
function elementwiseTime(setting: CostSetting): ElementwiseWork {
  const rate = setting.hardware.elementwise_bytes_per_second;
  const { per_token, per_target } = elementwiseBytes(setting);
  if (rate === null) return { perToken: 0, perTarget: 0 };
  return { perToken: (per_token * 1e6) / rate, perTarget: (per_target * 1e6) / rate };
}

/** The paper has none. */
function elementwiseBytes(setting: CostSetting): Demand["bytes"] {
  if (setting.formula === "skrull-paper") return { per_token: 0, per_target: 0 };
  const { perToken, perTarget } = elementwiseWork(setting);
  return { per_token: perToken, per_target: perTarget };
}

/** What a run asks of a machine, whatever the machine: what measurements become figures by. */
export interface Demand {
  /** FLOPs of a sequence of S tokens: the sum of its tokens, its targets and its square, each times its figure. */
  readonly flops: {
    readonly body_per_token: number;
    readonly head_per_target: number;
    readonly attention_per_token: number;
    readonly attention_per_token_squared: number;
  };
  /** Share of tokens that are targets of the loss. */
  readonly target_share: number;
  /** Of all but matrix products and attention: bytes that would take as long at the speed of memory. */
  readonly bytes: { readonly per_token: number; readonly per_target: number };
  /** Keys and values of a sharded sequence in one micro-batch. */
  readonly collectives: {
    /** In one collective. */
    readonly bytes_per_token: number;
    readonly gathers: number;
    readonly all_to_alls: number;
  };
}

/** The demand of a model under a setting; the hardware is not looked at. */
export function demandOf(setting: CostSetting): Demand {
  const { shape, targetShare, checkpointing, precision } = setting;
  const work = workOf(setting);
  return {
    flops: {
      body_per_token: work.perToken - work.headPerToken,
      head_per_target: targetShare > 0 ? work.headPerToken / targetShare : 0,
      attention_per_token: work.attentionPerToken,
      attention_per_token_squared: work.perTokenSquared,
    },
    target_share: targetShare,
    bytes: elementwiseBytes(setting),
    // A gather in every forward, recomputed ones too, and an all-to-all in the backward, of every layer.
    collectives: {
      bytes_per_token: keyValueWidth(shape) * BYTES_PER_ELEMENT[precision],
      gathers: shape.layers * (recomputesLayers(checkpointing) ? 2 : 1),
      all_to_alls: shape.layers,
    },
  };
}

function workOf(setting: CostSetting): Work {
  const { shape, formula } = setting;
  return formula === "skrull-paper" ? paperWork(shape) : trainingWork(setting);
}

function communication(setting: CostSetting): Problem["cost"]["comm"] {
  const { bytes_per_token: bytesPerToken, ...counts } = demandOf(setting).collectives;
  const collective = { ...groupSetting(setting), bytesPerToken, counts };
  return Object.fromEntries(
    setting.degrees.map((degree) => [degree, communicationRow(degree, collective)]),
  );
}

function groupSetting({
  hardware,
  networkBytesPerSecond,
  gpusPerNode,
}: CostSetting): Omit<CollectiveSetting, "bytesPerToken" | "counts"> {
  const measured = hardware.network_bytes_per_second;
  return {
    tables: hardware.collectives,
    networkBytesPerSecond: measured ?? networkBytesPerSecond * hardware.constants.network_share,
    networkMeasured: measured !== null,
    crossingFactor: hardware.crossing_factor ?? hardware.constants.crossing_factor,
    ranksPerNode: gpusPerNode,
  };
}
