import { trafficStage } from "../cost/zero.js";
import { epochSamples } from "../foundation/global-batches.js";
import { sum } from "../foundation/statistics.js";
import { degreesOfClass } from "../schedule/degrees.js";
import {
  type CostSetting,
  fixedCost,
  schedulingCost,
  targetTime,
  zeroCost,
} from "./machine-times.js";
import { optimizerStates } from "./optimizer-states.js";
import type { Plan } from "./plan.js";
import type { SchedulingPlan } from "./scheduling-problem.js";
import type { Setup } from "./setup.js";

export function schedulingPlan(setup: Setup, bucket: number): SchedulingPlan {
  const { topology } = setup;
  const { schedule } = setup.spec;
  return {
    data_parallel: topology.data_parallel,
    context_parallel: topology.context_parallel,
    bucket,
    padding: "zigzag",
    cost: schedulingCost(costSetting(setup)),
    policy: schedule.policy,
    degrees: schedule.degrees,
    objective:
      schedule.objective !== "auto" ? schedule.objective : together(setup) ? "lockstep" : "free",
  };
}

/**
 * Whether ranks move from micro-batch to micro-batch together: every backward of ZeRO 2 and 3 communicates, and every
 * forward with a loss of the router.
 */
export function together({ topology, spec, inputs }: Setup): boolean {
  const stage = trafficStage(topology.zero_stage, spec.parallel.reduction);
  return stage >= 2 || inputs.dimensions.router_loss;
}

/** What a step costs whatever its schedule is. */
export function stepPlan(setup: Setup): Plan["step"] {
  const setting = costSetting(setup);
  const zero = zeroCost(setting);
  return {
    fixed_us: fixedCost(setting).perStep,
    zero_us: { micro_batch: zero.perMicroBatch, step: zero.perStep },
    target_us: targetTime(setting),
  };
}

/** What the cost of a schedule is computed from. */
export function costSetting(setup: Setup): CostSetting {
  const { topology } = setup;
  const { schedule, cluster, model } = setup.spec;
  const { lengths, targetShare } = drawn(setup);
  return {
    formula: schedule.cost,
    shape: setup.shape,
    precision: model.precision,
    gradients: setup.spec.train.gradients,
    // Tiles are computed again in the backward: the work of recomputed MLPs.
    checkpointing:
      setup.checkpointing === "none" && setup.mlpTile !== null ? "selective" : setup.checkpointing,
    hardware: setup.hardware.figures,
    degrees: degreesOfClass({ ...topology, degrees: schedule.degrees }).filter((d) => d > 1),
    gpusPerNode: topology.gpus_per_node,
    networkBytesPerSecond: cluster.network,
    targetShare,
    lengths,
    zeroStage: topology.zero_stage,
    reduction: setup.spec.parallel.reduction,
    ranks: topology.ranks,
    lora: setup.lora,
    states: optimizerStates(setup),
    orthogonalises: setup.spec.train.optimizer.type === "muon",
    offload: setup.spec.memory.offload,
    fused: model.kernels === "liger",
    compiledNorms: model.compile_norms,
  };
}

/** Lengths of what the first epoch trains, and the share of its tokens that are targets. */
function drawn(setup: Setup) {
  const { index, mixture, summary } = setup.inputs.data;
  const { length, supervised } = index.samples;
  if (mixture.length === 0)
    return { lengths: length, targetShare: summary.supervised_tokens / summary.tokens };
  const samples = epochSamples(length.length, setup.spec.train.seed, 0, mixture);
  const lengths = Array.from(samples, (sample) => length[sample] as number);
  const targets = sum(Array.from(samples, (sample) => supervised[sample] as number));
  return { lengths, targetShare: targets / sum(lengths) };
}
