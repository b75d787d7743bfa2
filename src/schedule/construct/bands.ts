import { BinQueue } from "../cell/bin-queue.js";
import { emptyBins, leastLoaded, put } from "../cell/bins.js";
import type { Cell } from "../cell/cell.js";
import { Placer } from "../cell/placer.js";
import { solveCell } from "../cell/solve-cell.js";
import { dealt, type Rows, rowsTime } from "../rows.js";
import type { Level, Workload } from "../workload.js";
import { leastUnits } from "./balanced-bins.js";

/**
 * Schedules in which every cell has a band: as many sequences as ranks, of about the same length, which stay whole
 * and hide the communication of the others. Single moves hardly find these, since a band pays only once it is
 * complete. Several places of the bands in the order of lengths are tried.
 *
 * @param count cells wanted
 * @param tries places that are tried
 * @param workload whose cells are those of data-parallel ranks
 * @param mayGoOn whether there is time for another try
 * @returns the best; `undefined` where there are too few sequences, or none fits
 */
export function bestBands(
  count: number,
  tries: number,
  workload: Workload,
  mayGoOn = () => true,
): Rows | undefined {
  const { order, size, capacity } = workload;
  const { units } = workload.levels[0] as Level;
  const longest = order.findIndex((sequence) => (units[sequence] as number) <= capacity);
  const last = order.length - count * size;
  if (longest < 0 || last < longest || size === 1) return undefined;
  const placer = new Placer(workload);
  let best: { rows: Rows; time: number } | undefined;
  for (let n = 0; n < tries && mayGoOn(); n += 1) {
    const from = longest + Math.floor(((last - longest) * n) / tries);
    const cells = solveBands(bandedBins(from, count, workload), workload, placer);
    if (!cells) continue;
    const rows = inRows(cells, workload);
    const time = rowsTime(rows, workload);
    if (!best || time < best.time) best = { rows, time };
  }
  return best?.rows;
}

/** Bins with a band each, and the other sequences evened out by work; `undefined` where one finds no room. */
function bandedBins(
  from: number,
  count: number,
  workload: Workload,
): readonly (readonly number[])[] | undefined {
  const { order, size } = workload;
  const bins = emptyBins(count, workload.capacity * size);
  const members: number[][] = Array.from({ length: count }, () => []);
  const { work } = workload.levels[0] as Level;
  const to = from + count * size;
  for (let position = from; position < to; position += 1) {
    const sequence = order[position] as number;
    const bin = Math.floor((position - from) / size);
    put(bins, bin, work[sequence] as number, leastUnits(sequence, workload));
    members[bin]?.push(position);
  }
  const queue = new BinQueue(bins, count);
  for (let position = 0; position < order.length; position += 1) {
    if (position >= from && position < to) continue;
    const sequence = order[position] as number;
    const bin = queue.place(work[sequence] as number, leastUnits(sequence, workload));
    if (bin < 0) return undefined;
    members[bin]?.push(position);
  }
  return members.map((own) =>
    own.sort((a, b) => a - b).map((position) => order[position] as number),
  );
}

function solveBands(
  bins: readonly (readonly number[])[] | undefined,
  workload: Workload,
  placer: Placer,
): readonly Cell[] | undefined {
  if (!bins) return undefined;
  const cells = bins.map((members) => solveCell(members, workload, placer));
  return cells.every((cell) => cell !== undefined) ? cells : undefined;
}

/** Side by side by time; or, where rows do not wait for each other, longest first to the row with the least. */
function inRows(cells: readonly Cell[], workload: Workload): Rows {
  const { rows, problem } = workload;
  const side = dealt(cells, rows);
  if (problem.objective === "lockstep") return side;
  const bins = emptyBins(rows, Number.POSITIVE_INFINITY);
  const own: Cell[][] = Array.from({ length: rows }, () => []);
  for (const cell of dealt(cells, 1)[0] ?? []) {
    const row = leastLoaded(bins, rows, 0);
    put(bins, row, cell.time, 0);
    own[row]?.push(cell);
  }
  return own;
}
