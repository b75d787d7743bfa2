import { ascending, positionsInOrder } from "../../foundation/integers.js";
import type { Placement, RankMicroBatch } from "../schedule.js";
import { microBatchTime } from "../time-and-memory.js";
import { levelCommunication, type Workload } from "../workload.js";

/**
 * One micro-batch on the ranks it spans: a data-parallel rank's, or with `pool` the whole machine's. Three parallel
 * arrays, sequences ascending, which fixes the order of every sum.
 */
export interface Cell {
  readonly sequences: readonly number[];
  /** Index into the workload's levels. */
  readonly levels: readonly number[];
  /** First rank of the group, counted from the cell's first. */
  readonly firsts: readonly number[];
  /** us */
  readonly time: number;
}

/** A cell of sequences in any order, with its time. */
export function makeCell(
  sequences: readonly number[],
  levels: ArrayLike<number>,
  firsts: ArrayLike<number>,
  workload: Workload,
): Cell {
  const order = positionsInOrder(sequences, false);
  const cell = {
    sequences: order.map((k) => sequences[k] as number),
    levels: order.map((k) => levels[k] as number),
    firsts: order.map((k) => firsts[k] as number),
  };
  return { ...cell, time: cellTime(cell, workload) };
}

/** Makes cells with everything on all of their ranks, which the workload's last level must be. */
export class FullCells {
  readonly #level: number;
  /** By number of sequences: cells never change, so they may share. */
  readonly #levels: (readonly number[])[] = [];
  readonly #firsts: (readonly number[])[] = [];

  constructor(private readonly workload: Workload) {
    this.#level = workload.levels.length - 1;
  }

  /** @param sequences in any order */
  cell(sequences: readonly number[]): Cell {
    const count = sequences.length;
    const ordered = ascending(sequences);
    this.#levels[count] ??= new Array<number>(count).fill(this.#level);
    this.#firsts[count] ??= new Array<number>(count).fill(0);
    return {
      sequences: ordered,
      levels: this.#levels[count],
      firsts: this.#firsts[count],
      time: microBatchTime(fullTime(ordered, this.workload), this.workload.problem),
    };
  }
}

/**
 * Time of a cell, us: the slowest rank's `max(communication, local work) + sharded work` (arXiv:2505.19609
 * Eq. 1 and 2), or what a micro-batch takes at least, and the fixed cost; 0 without sequences.
 */
export function cellTime(cell: Omit<Cell, "time">, workload: Workload): number {
  if (cell.sequences.length === 0) return 0;
  return microBatchTime(slowestTime(cell, workload), workload.problem);
}

/** Time of a cell's slowest rank without what every micro-batch takes, us. */
export function slowestTime(cell: Omit<Cell, "time">, workload: Workload): number {
  const top = workload.levels.length - 1;
  const whole = workload.levels[top]?.degree === workload.size && workload.size > 1;
  if (whole && cell.levels.every((level) => level === top))
    return fullTime(cell.sequences, workload);
  return slowestRank(cell, workload);
}

/** Everything on all ranks: they are alike. */
function fullTime(sequences: readonly number[], { levels, problem }: Workload): number {
  const level = levels.at(-1);
  if (!level) return 0;
  let work = 0;
  let tokens = 0;
  for (const sequence of sequences) {
    work += level.work[sequence] as number;
    tokens += problem.lengths[sequence] as number;
  }
  return levelCommunication(level, tokens) + work;
}

function slowestRank(cell: Omit<Cell, "time">, workload: Workload): number {
  const { size, levels, problem } = workload;
  const local = new Float64Array(size);
  const sharded = new Float64Array(size);
  const tokens = levels.map(({ degree }) => new Float64Array(degree > 1 ? size / degree : 0));
  for (let k = 0; k < cell.sequences.length; k += 1) {
    const sequence = cell.sequences[k] as number;
    const level = cell.levels[k] as number;
    const { degree, work } = levels[level] as Workload["levels"][number];
    const first = cell.firsts[k] as number;
    const own = work[sequence] as number;
    if (degree === 1) {
      local[first] = (local[first] as number) + own;
      continue;
    }
    for (let r = first; r < first + degree; r += 1) sharded[r] = (sharded[r] as number) + own;
    const group = tokens[level] as Float64Array;
    const at = first / degree;
    group[at] = (group[at] as number) + (problem.lengths[sequence] as number);
  }
  const communication = communicationByRank(tokens, workload);
  let slowest = 0;
  for (let r = 0; r < size; r += 1) {
    const hidden = Math.max(communication[r] as number, local[r] as number);
    const time = hidden + (sharded[r] as number);
    if (time > slowest) slowest = time;
  }
  return slowest;
}

/** Sum over the groups of each rank, degrees ascending: one order, one rounding. */
function communicationByRank(tokens: readonly Float64Array[], workload: Workload): Float64Array {
  const total = new Float64Array(workload.size);
  for (const [n, level] of workload.levels.entries()) {
    const groups = tokens[n] as Float64Array;
    for (let group = 0; group < groups.length; group += 1) {
      const time = levelCommunication(level, groups[group] as number);
      if (time === 0) continue;
      const first = group * level.degree;
      for (let r = first; r < first + level.degree; r += 1) total[r] = (total[r] as number) + time;
    }
  }
  return total;
}

/** The placements of a cell whose first rank is `base`. */
export function placementsOf(cell: Cell, base: number, workload: Workload): RankMicroBatch {
  return cell.sequences.map((sequence, k) => ({
    sequence,
    first_rank: base + (cell.firsts[k] as number),
    degree: workload.levels[cell.levels[k] as number]?.degree ?? 1,
  }));
}

/** The cell of placements, in whatever order, on the ranks from `base`. */
export function cellOf(placements: readonly Placement[], base: number, workload: Workload): Cell {
  const levelOfDegree = new Map(workload.levels.map(({ degree }, level) => [degree, level]));
  return makeCell(
    placements.map(({ sequence }) => sequence),
    placements.map(({ degree }) => levelOfDegree.get(degree) ?? 0),
    placements.map(({ first_rank: first }) => first - base),
    workload,
  );
}
