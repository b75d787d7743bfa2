import type { LoraShape } from "../cost/adapters.js";
import { type CollectiveSetting, communicationRow } from "../cost/collectives.js";
import type { Hardware } from "../cost/hardware.js";
import type { Reduction, ZeroStage } from "../cost/memory.js";
import {
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  type Precision,
  type TransformerShape,
} from "../cost/shape.js";
import { paperWork, trainingWork } from "../cost/work.js";
import { type ZeroTraffic, zeroTraffic } from "../cost/zero.js";
import type { SchedulingPlan } from "./plan.js";

export interface CostSetting {
  /** From the model's exact dimensions, or the paper's generic layer. */
  readonly formula: "exact" | "skrull-paper";
  readonly shape: TransformerShape;
  readonly precision: Precision;
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
  const { ranks, shape, precision } = setting;
  if (ranks === 1) return { perMicroBatch: 0, perStep: 0 };
  const bytesPerToken = shape.parameters * BYTES_PER_ELEMENT[precision];
  const timeOf = (gathers: number, scatters: number) => {
    const whole = { ...groupSetting(setting), bytesPerToken, gathers, scatters };
    const [floor, intercept, slope] = communicationRow(ranks, whole);
    return Math.max(floor, intercept + slope);
  };
  return zeroTraffic(setting.zeroStage, timeOf(1, 0), timeOf(0, 1), setting.reduction);
}

/** The scheduling problem's cost parameters, us, of a model on a machine. */
export function schedulingCost(setting: CostSetting): SchedulingPlan["cost"] {
  const { hardware, shape, formula } = setting;
  const work = formula === "skrull-paper" ? paperWork(shape) : trainingWork(setting);
  const matmul = hardware.matmul_flops / 1e6;
  const attention = hardware.attention_flops / 1e6;
  return {
    a1: work.perToken / matmul + work.attentionPerToken / attention,
    a2: work.perTokenSquared / attention,
    fixed: hardware.micro_batch_us + zeroCost(setting).perMicroBatch,
    small_shard_tokens: hardware.small_shard_tokens,
    comm: communication(setting),
  };
}

/** A gather in every forward, recomputed ones too, and a reduce-scatter in the backward, of every layer. */
function communication(setting: CostSetting): SchedulingPlan["cost"]["comm"] {
  const { shape, checkpointing } = setting;
  const collective = {
    ...groupSetting(setting),
    bytesPerToken: keyValueWidth(shape) * BYTES_PER_ELEMENT[setting.precision],
    gathers: shape.layers * (checkpointing === "full" ? 2 : 1),
    scatters: shape.layers,
  };
  return Object.fromEntries(
    setting.degrees.map((degree) => [degree, communicationRow(degree, collective)]),
  );
}

function groupSetting({
  hardware,
  networkBytesPerSecond,
  gpusPerNode,
}: CostSetting): Omit<CollectiveSetting, "bytesPerToken" | "gathers" | "scatters"> {
  return {
    tables: hardware.collectives,
    networkBytesPerSecond,
    crossingFactor: hardware.crossing_factor,
    ranksPerNode: gpusPerNode,
  };
}
