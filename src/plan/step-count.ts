import { epochSize } from "../foundation/global-batches.js";
import type { Setup } from "./setup.js";
import { countSteps, type StepCount } from "./steps.js";

/** The steps of a setup's run. */
export function stepsOf({ spec, inputs }: Pick<Setup, "spec" | "inputs">): StepCount {
  const { train, schedule } = spec;
  const limit = train.steps === undefined ? { epochs: train.epochs ?? 1 } : { steps: train.steps };
  const { summary, mixture } = inputs.data;
  return countSteps(epochSize(summary.samples, mixture), schedule.global_batch, limit);
}
