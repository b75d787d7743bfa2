import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { allSharded, type Batches } from "./parts/full-degree.js";
import { packInOrder } from "./parts/pack-in-order.js";

/** Everything sharded over its group and packed next-fit into micro-batches of at most C x N tokens. */
export function packed(problem: Problem): Assignment {
  return allSharded(packedBatches(problem), problem);
}

/** {@link packed}, as sequences. @throws Infeasible */
export function packedBatches(problem: Problem): Batches {
  return packInOrder([...problem.lengths.keys()], problem);
}
