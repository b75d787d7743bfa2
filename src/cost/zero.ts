import type { Reduction, ZeroStage } from "./memory.js";

/** Communication of ZeRO over all ranks, us. */
export interface ZeroTraffic {
  readonly perMicroBatch: number;
  readonly perStep: number;
}

/**
 * What a stage communicates and when: plain data parallelism all-reduces the gradients once a step, stage 1 reduces
 * them once and gathers the weights, stage 2 reduces them in every backward, stage 3 also gathers the weights in
 * every forward and backward (https://www.deepspeed.ai/tutorials/zero). Nothing of it is taken to overlap.
 *
 * @param gather us to gather all weights
 * @param scatter us to reduce and scatter all gradients
 */
export function zeroTraffic(
  stage: ZeroStage,
  gather: number,
  scatter: number,
  reduction: Reduction = "every-micro-batch",
): ZeroTraffic {
  switch (trafficStage(stage, reduction)) {
    case 0:
    case 1:
      return { perMicroBatch: 0, perStep: scatter + gather };
    case 2:
      return { perMicroBatch: scatter, perStep: gather };
    case 3:
      return { perMicroBatch: scatter + 2 * gather, perStep: 0 };
  }
}

/** The stage that communicates like this one: with gradients reduced once a step, stage 2 does as stage 1. */
export const trafficStage = (stage: ZeroStage, reduction: Reduction): ZeroStage =>
  stage === 2 && reduction === "once" ? 1 : stage;
