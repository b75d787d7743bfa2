import type { Problem } from "../problem.js";
import type { Assignment, Placement } from "../schedule.js";
import { fullDegree } from "./full-degree.js";

/** DeepSpeed as it is: every sequence alone in a micro-batch and sharded over its group, in batch order. */
export function deepspeed(problem: Problem): Assignment {
  const { data_parallel: ranks, context_parallel: context, lengths } = problem;
  const degree = fullDegree(problem);
  const assignment: Placement[][][] = Array.from({ length: ranks }, () => []);
  for (const sequence of lengths.keys()) {
    const rank = sequence % ranks;
    assignment[rank]?.push([{ sequence, first_rank: rank * context, degree }]);
  }
  return assignment;
}
