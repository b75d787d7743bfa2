import { cellOf } from "./cell/cell.js";
import { withoutIdleRanks } from "./degrees.js";
import type { Problem } from "./problem.js";
import { type Rows, rowsTime } from "./rows.js";
import type { MicroBatch, Placement } from "./schedule.js";
import { type Workload, workloadOf } from "./workload.js";

/** Time of a whole schedule under the problem's objective, us. */
export function iterationTime(microBatches: readonly MicroBatch[], problem: Problem): number {
  const workload = workloadOf(problem.degrees === "pool" ? problem : withoutIdleRanks(problem));
  return rowsTime(rowsOf(microBatches, workload), workload);
}

/** The cells of a schedule, micro-batches without sequences included. */
export function rowsOf(microBatches: readonly MicroBatch[], workload: Workload): Rows {
  const byRow = microBatches.map(({ placements }) => {
    const own: Placement[][] = Array.from({ length: workload.rows }, () => []);
    for (const placement of placements) {
      own[Math.floor(placement.first_rank / workload.size)]?.push(placement);
    }
    return own;
  });
  return Array.from({ length: workload.rows }, (_, row) =>
    byRow.map((own) => cellOf(own[row] ?? [], row * workload.size, workload)),
  );
}
