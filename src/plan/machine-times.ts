import type { LoraShape } from "../cost/adapters.js";
import {
  type CollectiveCounts,
  type CollectiveSetting,
  communicationRow,
} from "../cost/collectives.js";
import type { Hardware } from "../cost/hardware.js";
import { gradientBytes, type Reduction, type ZeroStage } from "../cost/memory.js";
import {
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  type Precision,
  recomputesLayers,
  type TransformerShape,
} from "../cost/shape.js";
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
  /** `null` where every weight is trained. */
  readonly lora: LoraShape | null;
}

/** ZeRO's communication of the whole model over all ranks: modelled from the same latencies. */
export function zeroCost(setting: CostSetting): ZeroTraffic {
  const { ranks, shape, precision, gradients } = setting;
  if (ranks === 1) return { perMicroBatch: 0, perStep: 0 };
  const timeOf = (bytes: number, counts: CollectiveCounts) => {
    const bytesPerToken = shape.parameters * bytes;
    const whole = { ...groupSetting(setting), bytesPerToken, counts };
    const [floor, intercept, slope] = communicationRow(ranks, whole);
    return Math.max(floor, intercept + slope);
  };
  const gather = timeOf(BYTES_PER_ELEMENT[precision], { gathers: 1 });
  const scatter = timeOf(gradientBytes(precision, gradients), { scatters: 1 });
  return zeroTraffic(setting.zeroStage, gather, scatter, setting.reduction);
}

/**
 * What a micro-batch and a step take whatever is in them, us. A profile measured both in a run under ZeRO: another
 * setting differs from it by the modelled communication.
 */
export function fixedCost(setting: CostSetting): ZeroTraffic {
  const { hardware, shape } = setting;
  const { zero_included: of } = hardware;
  const now = zeroCost(setting);
  const included = of
    ? zeroCost({
        ...setting,
        zeroStage: of.stage,
        reduction: "every-micro-batch",
        ranks: of.ranks,
        gradients: of.gradients ?? setting.precision,
        shape: { ...shape, parameters: of.parameters },
      })
    : { perMicroBatch: 0, perStep: 0 };
  return {
    perMicroBatch: Math.max(
      0,
      hardware.micro_batch_us + now.perMicroBatch - included.perMicroBatch,
    ),
    perStep: Math.max(0, hardware.step_us + now.perStep - included.perStep),
  };
}

/** The scheduling problem's cost parameters, us, of a model on a machine. */
export function schedulingCost(setting: CostSetting): Problem["cost"] {
  const { hardware } = setting;
  const { flops, target_share } = demandOf(setting);
  const matmul = hardware.matmul_flops / 1e6;
  const attention = hardware.attention_flops / 1e6;
  return {
    a1:
      flops.body_per_token / matmul +
      target_share * targetTime(setting) +
      flops.attention_per_token / attention,
    a2: flops.attention_per_token_squared / attention,
    fixed: fixedCost(setting).perMicroBatch,
    small_shard_tokens: hardware.small_shard_tokens,
    comm: communication(setting),
  };
}

/** What a target takes in the output head and its loss, us. */
export function targetTime(setting: CostSetting): number {
  return demandOf(setting).flops.head_per_target / (setting.hardware.head_flops / 1e6);
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
  return {
    tables: hardware.collectives,
    networkBytesPerSecond,
    crossingFactor: hardware.crossing_factor,
    ranksPerNode: gpusPerNode,
  };
}
