import { globalBatches } from "../foundation/global-batches.js";
import type { Problem } from "../schedule/problem.js";
import type { Plan } from "./plan.js";
import { problemOf } from "./scheduling-problem.js";

/** The problems of every step of a run, in order: each epoch has its own global batches. */
export function problemsOfRun(plan: Plan, lengths: readonly number[]): readonly Problem[] {
  const { scheduling, search, steps, training, data } = plan;
  const { global_batch: size } = steps;
  const problems: Problem[] = [];
  for (let epoch = 0; problems.length < steps.total_steps; epoch += 1) {
    const batches = globalBatches(lengths.length, size, training.seed, epoch, data.mixture);
    for (const batch of batches) {
      if (problems.length === steps.total_steps) break;
      const own = batch.map((sample) => lengths[sample] as number);
      problems.push(problemOf(scheduling, own, search.iterations));
    }
  }
  return problems;
}
