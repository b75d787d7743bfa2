import type { Gpu } from "../catalogue/gpu.js";
import {
  type CollectiveLatency,
  type CommunicationRow,
  communicationRow,
} from "../cost/collectives.js";
import type { ZeroStage } from "../cost/memory.js";
import {
  BYTES_PER_ELEMENT,
  type Checkpointing,
  keyValueWidth,
  type Precision,
  type TransformerShape,
} from "../cost/shape.js";
import { trainingWork } from "../cost/work.js";
import { type ZeroTraffic, zeroTraffic } from "../cost/zero.js";
import type { SchedulingPlan } from "./plan.js";

export interface CostSetting {
  readonly shape: TransformerShape;
  readonly precision: Precision;
  readonly checkpointing: Checkpointing;
  readonly gpu: Gpu;
  /** Sizes of the groups that a schedule may use, 1 not counted. */
  readonly degrees: readonly number[];
  readonly gpusPerNode: number;
  readonly networkBytesPerSecond: number;
  /** Share of tokens that are targets of the loss. */
  readonly targetShare: number;
  readonly zeroStage: ZeroStage;
  readonly ranks: number;
}

/** ZeRO's communication of the whole model over all ranks: modelled from the same latencies. */
export function zeroCost(setting: CostSetting): ZeroTraffic {
  const { gpu, ranks, shape, precision } = setting;
  if (ranks === 1) return { perMicroBatch: 0, perStep: 0 };
  const { collectives } = gpu;
  const bytes = shape.parameters * BYTES_PER_ELEMENT[precision];
  const timeOf = (latencies: readonly number[]) => {
    const within = fitLatency(collectives.megabytes, latencies);
    const whole = { ...groupSetting(setting, within), bytesPerToken: bytes, count: 1 };
    const [floor, intercept, slope] = communicationRow(ranks, whole);
    return Math.max(floor, intercept + slope);
  };
  const gather = timeOf(collectives.all_gather_us);
  return zeroTraffic(setting.zeroStage, gather, timeOf(collectives.reduce_scatter_us));
}

/** The scheduling problem's cost parameters, us, of a model on a GPU: modelled from published figures. */
export function schedulingCost(setting: CostSetting): SchedulingPlan["cost"] {
  const { gpu, precision } = setting;
  const work = trainingWork(setting.shape, setting.checkpointing, setting.targetShare);
  const flopsPerMicrosecond = (gpu.peak_flops[precision] * gpu.efficiency) / 1e6;
  return {
    a1: work.perToken / flopsPerMicrosecond,
    a2: work.perTokenSquared / flopsPerMicrosecond,
    fixed: gpu.micro_batch_us + zeroCost(setting).perMicroBatch,
    small_shard_tokens: gpu.small_shard_tokens,
    comm: communication(setting),
  };
}

function communication(setting: CostSetting): Readonly<Record<string, CommunicationRow>> {
  const { gpu, shape, checkpointing } = setting;
  const { collectives } = gpu;
  const gathers = checkpointing === "full" ? 2 : 1;
  // A gather a forward, a reduce-scatter a backward; both tables are near enough to be averaged by weight.
  const gather = fitLatency(collectives.megabytes, collectives.all_gather_us);
  const scatter = fitLatency(collectives.megabytes, collectives.reduce_scatter_us);
  const collective = {
    ...groupSetting(setting, weighted(gather, gathers, scatter)),
    bytesPerToken: keyValueWidth(shape) * BYTES_PER_ELEMENT[setting.precision],
    count: shape.layers * (gathers + 1),
  };
  return Object.fromEntries(
    setting.degrees.map((degree) => [degree, communicationRow(degree, collective)]),
  );
}

function groupSetting(
  { gpu, networkBytesPerSecond, gpusPerNode }: CostSetting,
  within: CollectiveLatency,
) {
  return {
    within,
    measuredRanks: gpu.collectives.ranks,
    networkBytesPerSecond,
    crossingFactor: gpu.collectives.crossing_factor,
    ranksPerNode: gpusPerNode,
  };
}

function weighted(a: CollectiveLatency, weight: number, b: CollectiveLatency): CollectiveLatency {
  const mean = (x: number, y: number) => (x * weight + y) / (weight + 1);
  return {
    floor: mean(a.floor, b.floor),
    intercept: mean(a.intercept, b.intercept),
    slope: mean(a.slope, b.slope),
  };
}

/**
 * Eq. 16 of arXiv:2505.19609 fitted to measured latencies: the smallest message's is the floor, and a least-squares
 * line through all, weighted so that relative errors count, gives intercept and slope.
 */
export function fitLatency(
  megabytes: readonly number[],
  microseconds: readonly number[],
): CollectiveLatency {
  let [w, x, y, xx, xy] = [0, 0, 0, 0, 0];
  for (const [n, size] of megabytes.entries()) {
    const time = microseconds[n] ?? 0;
    const weight = 1 / (time * time);
    w += weight;
    x += weight * size;
    y += weight * time;
    xx += weight * size * size;
    xy += weight * size * time;
  }
  const slope = (w * xy - x * y) / (w * xx - x * x);
  return { floor: microseconds[0] ?? 0, intercept: Math.max(0, (y - slope * x) / w), slope };
}
