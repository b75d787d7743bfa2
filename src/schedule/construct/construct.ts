import { MORE_CELLS, MOST_CUT, NEARLY_EVEN } from "../../foundation/limits.generated.js";
import type { Cell } from "../cell/cell.js";
import { Placer } from "../cell/placer.js";
import { solveCell } from "../cell/solve-cell.js";
import { type Aims, FEW_AIMS, MANY_AIMS } from "../cell/targets.js";
import { aligned, type Rows } from "../rows.js";
import type { Level, Workload } from "../workload.js";
import { balancedBins, cellsFilled } from "./balanced-bins.js";
import { chunks, twoStreams } from "./chunks.js";
import { spreadOverRows } from "./spread.js";

/** A way to cut sequences, longest first, into about `count` bins. */
type Cut = (
  sequences: readonly number[],
  count: number,
  workload: Workload,
) => readonly (readonly number[])[];

/** How much is tried. */
export interface Effort {
  readonly cuts: readonly Cut[];
  readonly aims: Aims;
  /** Cells beyond the fewest that memory allows. */
  readonly more: number;
  /** Multiple of an even spread of the work that ends it. */
  readonly enough: number;
  /** Ways to cut a batch that are tried, by its number of sequences. */
  readonly most: (sequences: number) => number;
}

const streams =
  (divisor: number): Cut =>
  (sequences, count, workload) =>
    twoStreams(sequences, count, divisor, workload);

/** What both programs try. */
export const LITTLE: Effort = {
  cuts: [balancedBins, streams(2), streams(4)],
  aims: FEW_AIMS,
  more: MORE_CELLS,
  enough: NEARLY_EVEN,
  most: (sequences) => Math.max(1, Math.floor(MOST_CUT / Math.max(1, sequences))),
};

/** The same as `MOST_CUT`, where there is time to search. */
const MOST_SEARCHED = 16_384;

/** What is tried where there is time to search. */
export const MUCH: Effort = {
  cuts: [balancedBins, chunks, streams(1), streams(2), streams(4)],
  aims: MANY_AIMS,
  more: 2,
  enough: 0,
  most: (sequences) => Math.floor(MOST_SEARCHED / Math.max(1, sequences)),
};

/**
 * A schedule from scratch, without search. Free: the batch over the data-parallel ranks by work, and each one's part by
 * itself. Lockstep: the whole batch over cells of the whole machine.
 *
 * @param mayGoOn whether there is time for another try; the first one needs none
 */
export function construct(workload: Workload, effort: Effort, mayGoOn = () => true): Rows {
  const placer = new Placer(workload);
  const parts = workload.rows === 1 ? [workload.order] : spreadOverRows(workload);
  return aligned(parts.map((own) => bestCells(own, workload, placer, effort, mayGoOn)));
}

/** The fastest cells of `sequences`, longest first, by every cut into the fewest cells and somewhat more. */
function bestCells(
  sequences: readonly number[],
  workload: Workload,
  placer: Placer,
  effort: Effort,
  mayGoOn: () => boolean,
): readonly Cell[] {
  const fewest = Math.max(1, Math.ceil(cellsFilled(sequences, workload)));
  const goal = effort.enough * evenSpread(sequences, workload.size, workload);
  let best: readonly Cell[] | undefined;
  let least = Number.POSITIVE_INFINITY;
  let left = effort.most(workload.order.length);
  for (const { cut, count } of starts(fewest, effort)) {
    if (left === 0 || (best && !mayGoOn())) break;
    left -= 1;
    const cells = solveAll(cut(sequences, count, workload), workload, placer, effort.aims, least);
    if (!cells) continue;
    best = cells;
    least = timeOf(cells);
    if (least <= goal) break;
  }
  return best ?? cellsThatFit(sequences, fewest + effort.more, workload, placer);
}

function* starts(fewest: number, { cuts, more }: Effort) {
  for (let count = fewest; count <= fewest + more; count += 1)
    for (const cut of cuts) yield { cut, count };
}

/** The work of sequences that stay whole, spread evenly over ranks in one micro-batch, us: nothing takes less. */
export function evenSpread(
  sequences: readonly number[],
  ranks: number,
  workload: Workload,
): number {
  const { work } = workload.levels[0] as Level;
  let total = 0;
  for (const sequence of sequences) total += work[sequence] as number;
  return total / ranks + workload.problem.cost.fixed;
}

/** Balanced bins, more and more of them until their members fit together. */
function cellsThatFit(
  sequences: readonly number[],
  fewest: number,
  workload: Workload,
  placer: Placer,
): readonly Cell[] {
  const never = Number.POSITIVE_INFINITY;
  for (let count = fewest + 1; count < sequences.length; count += Math.ceil(count / 4)) {
    const bins = balancedBins(sequences, count, workload);
    const cells = solveAll(bins, workload, placer, FEW_AIMS, never);
    if (cells) return cells;
  }
  const alone = sequences.map((sequence) => [sequence]);
  return solveAll(alone, workload, placer, FEW_AIMS, never) ?? [];
}

/** @param limit us; gives up as soon as the cells take as long */
function solveAll(
  bins: readonly (readonly number[])[],
  workload: Workload,
  placer: Placer,
  aims: Aims,
  limit: number,
): readonly Cell[] | undefined {
  const cells: Cell[] = [];
  let time = 0;
  for (const members of bins) {
    if (members.length === 0) continue;
    const cell = solveCell(members, workload, placer, aims);
    if (!cell) return undefined;
    cells.push(cell);
    time += cell.time;
    if (time >= limit) return undefined;
  }
  return cells;
}

function timeOf(cells: readonly Cell[]): number {
  let time = 0;
  for (const cell of cells) time += cell.time;
  return time;
}
