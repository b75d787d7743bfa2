import type { Problem } from "../../problem.js";
import { bucketUnits, shardUnits } from "../../time-and-memory.js";
import { type Batches, fullDegree } from "./full-degree.js";

/** Next-fit: sequences go to the data-parallel ranks in turn, each into the rank's last micro-batch or a new one. */
export function packInOrder(order: readonly number[], problem: Problem): Batches {
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
