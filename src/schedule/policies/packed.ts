import { bucketUnits, shardUnits } from "../cost.js";
import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { longestFirst } from "../workload.js";
import { allSharded, type Batches, fullDegree } from "./full-degree.js";

/** Everything sharded over its group and packed next-fit into micro-batches of at most C x N tokens. */
export function packed(problem: Problem): Assignment {
  return allSharded(packedBatches(problem), problem);
}

/** {@link packed}, after sorting by length, longest first, ties by index: what sorted batching amounts to. */
export function sorted(problem: Problem): Assignment {
  return allSharded(sortedBatches(problem), problem);
}

/** {@link packed}, as sequences. @throws Infeasible */
export function packedBatches(problem: Problem): Batches {
  return packInOrder([...problem.lengths.keys()], problem);
}

/** {@link sorted}, as sequences. @throws Infeasible */
export function sortedBatches(problem: Problem): Batches {
  return packInOrder(longestFirst(problem.lengths), problem);
}

function packInOrder(order: readonly number[], problem: Problem): Batches {
  const { data_parallel: ranks, lengths } = problem;
  const degree = fullDegree(problem);
  const capacity = bucketUnits(problem);
  const batches: number[][][] = Array.from({ length: ranks }, () => []);
  const used = new Array<number>(ranks).fill(0);
  for (const [position, sequence] of order.entries()) {
    const rank = position % ranks;
    const own = batches[rank] as number[][];
    const units = shardUnits(lengths[sequence] as number, degree, problem);
    const open = own.at(-1);
    if (open && (used[rank] as number) + units <= capacity) {
      open.push(sequence);
      used[rank] = (used[rank] as number) + units;
    } else {
      own.push([sequence]);
      used[rank] = units;
    }
  }
  return batches;
}
