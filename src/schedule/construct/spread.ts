import { ROUNDS_PER_ROW } from "../../foundation/limits.generated.js";
import { emptyBins, leastLoaded, put } from "../cell/bins.js";
import { improveBySwaps } from "../cell/swaps.js";
import type { Level, Workload } from "../workload.js";

/** The batch over the rows by work: longest processing time first, then evened out by exchanges. Each longest first. */
export function spreadOverRows(workload: Workload): readonly (readonly number[])[] {
  const { rows, order } = workload;
  const bins = emptyBins(rows, Number.POSITIVE_INFINITY);
  const { work } = workload.levels[0] as Level;
  const binOf = Int32Array.from(order, (sequence) => {
    const row = leastLoaded(bins, rows, 0);
    put(bins, row, work[sequence] as number, 0);
    return row;
  });
  const items = {
    count: order.length,
    work: Float64Array.from(order, (sequence) => work[sequence] as number),
    units: new Float64Array(order.length),
    binOf,
  };
  improveBySwaps(items, bins, new Float64Array(rows), rows, ROUNDS_PER_ROW * rows);
  const members: number[][] = Array.from({ length: rows }, () => []);
  for (const [at, sequence] of order.entries()) members[binOf[at] as number]?.push(sequence);
  return members;
}
