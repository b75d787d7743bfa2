import { type OverlapProblem, overlapsReduction, reducesEveryBackward } from "../cost/overlap.js";
import type { Plan } from "./plan.js";
import { addsWider as isWider, stageOfDeepSpeed } from "./stages.js";

/** How DeepSpeed reduces the gradients of a run. */
export interface ReductionPlan extends Pick<OverlapProblem, "stage" | "reduction"> {
  /** Beside the backward. */
  readonly overlaps: boolean;
  /** Whether every backward reduces, and keeps what it has reduced on the GPU. */
  readonly everyBackward: boolean;
}

/** Whether gradients are added in more than the model's precision. */
export const addsWider = ({ model, training }: Plan): boolean =>
  isWider({ precision: model.precision, gradients: training.gradients });

/** ZeRO 1 that adds in fp32 runs as DeepSpeed's stage 2 with one reduction a step. */
export function reductionOf(plan: Plan): ReductionPlan {
  const { device, ranks, zero_stage } = plan.topology;
  const { offload } = plan.memory;
  const of = addsInStageTwo(plan)
    ? ({ stage: 2, reduction: "once" } as const)
    : { stage: zero_stage, reduction: plan.training.reduction };
  const problem: OverlapProblem = { ...of, offload, device, ranks };
  return {
    ...of,
    overlaps: overlapsReduction(problem),
    everyBackward: reducesEveryBackward(problem),
  };
}

function addsInStageTwo({ model, training, topology, memory }: Plan): boolean {
  const { precision } = model;
  const { gradients } = training;
  const { offload } = memory;
  const stage = stageOfDeepSpeed({ zeroStage: topology.zero_stage, precision, gradients, offload });
  return stage !== topology.zero_stage;
}
