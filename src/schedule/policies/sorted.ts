import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { longestFirst } from "../workload.js";
import { allSharded, type Batches } from "./parts/full-degree.js";
import { packInOrder } from "./parts/pack-in-order.js";

/** `packed` after sorting by length, longest first, ties by index: what sorted batching amounts to. */
export function sorted(problem: Problem): Assignment {
  return allSharded(sortedBatches(problem), problem);
}

/** {@link sorted}, as sequences. @throws Infeasible */
export function sortedBatches(problem: Problem): Batches {
  return packInOrder(longestFirst(problem.lengths), problem);
}
