import { type Cell, placementsOf } from "./cell/cell.js";
import type { Assignment } from "./schedule.js";
import type { Workload } from "./workload.js";

/** Cells by row, in the order they run: a row is a data-parallel rank, or with `pool` the whole machine. */
export type Rows = readonly (readonly Cell[])[];

/** Iteration time of rows, us, under the problem's objective. */
export function rowsTime(rows: Rows, { problem }: Workload): number {
  return problem.objective === "lockstep" ? lockstepTime(rows) : freeTime(rows);
}

function freeTime(rows: Rows): number {
  let slowest = 0;
  for (const row of rows) {
    let total = 0;
    for (const cell of row) total += cell.time;
    if (total > slowest) slowest = total;
  }
  return slowest;
}

function lockstepTime(rows: Rows): number {
  let count = 0;
  for (const row of rows) count = Math.max(count, row.length);
  const slowest = new Float64Array(count);
  for (const row of rows) {
    for (let index = 0; index < row.length; index += 1) {
      const { time } = row[index] as Cell;
      if (time > (slowest[index] as number)) slowest[index] = time;
    }
  }
  let total = 0;
  for (const time of slowest) total += time;
  return total;
}

/** Every row's cells by time, longest first, equals as they were: the long ones then run side by side. */
export function aligned(rows: Rows): Rows {
  return rows.map((row) => [...row].sort((a, b) => b.time - a.time));
}

/** Cells by time, longest first, dealt to `width` rows in rounds: those of a round take about as long. */
export function dealt(cells: readonly Cell[], width: number): Rows {
  const [ordered = []] = aligned([cells]);
  return Array.from({ length: width }, (_, row) =>
    ordered.filter((_cell, at) => at % width === row),
  );
}

/** Micro-batches of every data-parallel rank; with `pool` all are listed under the first. */
export function assignmentOf(rows: Rows, workload: Workload): Assignment {
  const { data_parallel: ranks } = workload.problem;
  return Array.from({ length: ranks }, (_, rank) =>
    (rows[rank] ?? []).map((cell) => placementsOf(cell, rank * workload.size, workload)),
  );
}
