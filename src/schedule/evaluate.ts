import { cellOf } from "./cell/cell.js";
import { withoutIdleRanks } from "./degrees.js";
import type { Problem } from "./problem.js";
import { type Rows, rowsTime } from "./rows.js";
import type { MicroBatch, Placement } from "./schedule.js";
import { type Workload, workloadOf } from "./workload.js";

/** Time of a whole schedule under the problem's objective, us. */
export function iterationTime(microBatches: readonly MicroBatch[], problem: Problem): number {
  const workload = workloadOfRanks(problem);
  return rowsTime(rowsOf(microBatches, workload), workload);
}

/** By what a schedule's micro-batches are timed: each by the costs of its own workload, all of the same sequences. */
export type Timing = readonly Workload[];

/** Time of a schedule whose micro-batches do not all cost the same for what they hold, us. */
export function timeUnder(microBatches: readonly MicroBatch[], timing: Timing): number {
  const [first] = timing;
  return first === undefined ? 0 : rowsTime(rowsUnder(microBatches, timing), first);
}

/** As {@link rowsOf}, each micro-batch's cells by its own workload. */
export function rowsUnder(microBatches: readonly MicroBatch[], timing: Timing): Rows {
  const made = new Map(
    [...new Set(timing)].map((own) => [own, rowsOf(microBatches, own)] as const),
  );
  const [first = []] = made.values();
  return first.map((cells, row) =>
    cells.map((cell, index) => made.get(timing[index] as Workload)?.[row]?.[index] ?? cell),
  );
}

/** The workload that schedules are timed by: a rank that no degree reaches is none. */
export const workloadOfRanks = (problem: Problem): Workload =>
  workloadOf(problem.degrees === "pool" ? problem : withoutIdleRanks(problem));

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
