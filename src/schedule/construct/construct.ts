import { NEARLY_FULL } from "../../foundation/limits.generated.js";
import type { Cell } from "../cell/cell.js";
import { Placer } from "../cell/placer.js";
import { solveCell } from "../cell/solve-cell.js";
import { dealt, type Rows, rowsTime } from "../rows.js";
import type { Workload } from "../workload.js";
import { balancedBins, cellsFilled } from "./balanced-bins.js";
import { spreadOverRows } from "./spread.js";

/**
 * A schedule from scratch, without search. Free: the batch over the data-parallel ranks by work, and each one's part
 * in balanced bins. Lockstep: the whole batch in balanced bins, those that take about as long side by side.
 */
export function construct(workload: Workload): Rows {
  const placer = new Placer(workload);
  return workload.problem.objective === "lockstep"
    ? bestRows(workload.order, workload.rows, workload, placer)
    : spreadOverRows(workload).map((own) => bestRows(own, 1, workload, placer)[0] ?? []);
}

/** Cells of `sequences`, longest first, in `width` rows: with the fewest bins, and where these are full, with more. */
function bestRows(
  sequences: readonly number[],
  width: number,
  workload: Workload,
  placer: Placer,
): Rows {
  const filled = cellsFilled(sequences, workload) / width;
  const fewest = Math.max(1, Math.ceil(filled));
  const first = dealt(cellsOf(sequences, fewest * width, workload, placer), width);
  if (filled <= NEARLY_FULL * fewest) return first;
  const more = dealt(cellsOf(sequences, (fewest + 1) * width, workload, placer), width);
  return rowsTime(more, workload) < rowsTime(first, workload) ? more : first;
}

function cellsOf(
  sequences: readonly number[],
  fewest: number,
  workload: Workload,
  placer: Placer,
): readonly Cell[] {
  let count = fewest;
  while (count < sequences.length) {
    const cells = solveAll(balancedBins(sequences, count, workload), workload, placer);
    if (cells) return cells;
    count += Math.ceil(count / 4);
  }
  return (
    solveAll(
      sequences.map((sequence) => [sequence]),
      workload,
      placer,
    ) ?? []
  );
}

function solveAll(
  bins: readonly (readonly number[])[],
  workload: Workload,
  placer: Placer,
): readonly Cell[] | undefined {
  const cells: Cell[] = [];
  for (const members of bins) {
    const cell = solveCell(members, workload, placer);
    if (!cell) return undefined;
    cells.push(cell);
  }
  return cells;
}
