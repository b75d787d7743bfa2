import type { Reduction } from "../foundation/vocabularies.generated.js";
import type { Offload, ZeroStage } from "./memory-setting.js";

/** What decides whether ZeRO's communication runs beside the backward. */
export interface OverlapProblem {
  /** DeepSpeed's stage, which may not be the spec's. */
  readonly stage: ZeroStage;
  readonly reduction: Reduction;
  readonly offload: Offload;
  readonly device: "cuda" | "cpu";
  readonly ranks: number;
}

/**
 * Whether gradients are reduced, and under ZeRO 3 weights gathered, on streams of their own beside the backward: wherever
 * every backward reduces them. Gradients that are reduced once a step have no backward beside them, and a CPU no streams.
 * Under ZeRO 2 DeepSpeed then fills one reduction bucket while the other travels, so there are two
 * (`DeepSpeedZeroOptimizer.setup_buckets`); under ZeRO 3 there is still one.
 */
export function overlapsReduction(problem: OverlapProblem): boolean {
  return problem.device === "cuda" && problem.ranks > 1 && reducesEveryBackward(problem);
}

/** Whether DeepSpeed reduces in every backward, and keeps what it has reduced on the GPU. */
export const reducesEveryBackward = ({
  stage,
  reduction,
  offload,
}: Pick<OverlapProblem, "stage" | "reduction" | "offload">): boolean =>
  stage >= 2 && reduction === "every-micro-batch" && offload === "none";

/** Reduction buckets that ZeRO keeps. */
export const reductionBuckets = (problem: OverlapProblem): number =>
  problem.stage === 2 && overlapsReduction(problem) ? 2 : 1;
