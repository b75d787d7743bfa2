import type { Reduction } from "../foundation/vocabularies.generated.js";
import type { ZeroStage } from "./memory-setting.js";

/** Communication of ZeRO over all ranks, us. */
export interface ZeroTraffic {
  readonly perMicroBatch: number;
  readonly perStep: number;
}

/** Times of one collective each, us. */
export interface ZeroCollectives {
  /** Of all weights. */
  readonly gatherAll: number;
  /** Of the weights that are trained. */
  readonly gatherTrained: number;
  /** Of all gradients. */
  readonly scatter: number;
}

/**
 * What a stage communicates and when: plain data parallelism all-reduces the gradients once a step, stage 1 reduces
 * them once and gathers the weights that it changed, stage 2 reduces them in every backward, stage 3 also gathers all
 * weights in every forward and backward (https://www.deepspeed.ai/tutorials/zero).
 */
export function zeroTraffic(
  stage: ZeroStage,
  reduction: Reduction,
  { gatherAll, gatherTrained, scatter }: ZeroCollectives,
): ZeroTraffic {
  switch (trafficStage(stage, reduction)) {
    case 0:
    case 1:
      return { perMicroBatch: 0, perStep: scatter + gatherTrained };
    case 2:
      return { perMicroBatch: scatter, perStep: gatherTrained };
    case 3:
      return { perMicroBatch: scatter + 2 * gatherAll, perStep: 0 };
  }
}

/** The stage that communicates like this one: with gradients reduced once a step, stage 2 does as stage 1. */
export const trafficStage = (stage: ZeroStage, reduction: Reduction): ZeroStage =>
  stage === 2 && reduction === "once" ? 1 : stage;
