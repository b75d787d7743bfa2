import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { allSharded, type Batches, fullDegree } from "./parts/full-degree.js";

/** DeepSpeed as it is: every sequence alone in a micro-batch and sharded over its group, in batch order. */
export function deepspeed(problem: Problem): Assignment {
  return allSharded(deepspeedBatches(problem), problem);
}

/** {@link deepspeed}, as sequences. @throws Infeasible */
export function deepspeedBatches(problem: Problem): Batches {
  fullDegree(problem);
  const { data_parallel: ranks, lengths } = problem;
  const batches: number[][][] = Array.from({ length: ranks }, () => []);
  for (const sequence of lengths.keys()) batches[sequence % ranks]?.push([sequence]);
  return batches;
}
