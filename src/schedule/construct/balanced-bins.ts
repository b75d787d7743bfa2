import { RESTARTS } from "../../foundation/limits.generated.js";
import { BinQueue } from "../cell/bin-queue.js";
import { emptyBins } from "../cell/bins.js";
import type { Level, Workload } from "../workload.js";

/** Least memory that a sequence takes in a cell, over all of its ranks, at a degree that fits a rank. */
export function leastUnits(sequence: number, { levels, capacity }: Workload): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { degree, units } of levels) {
    const own = units[sequence] as number;
    if (own <= capacity && own * degree < least) least = own * degree;
  }
  return least;
}

/** How many cells the memory of sequences fills, not rounded. */
export function cellsFilled(sequences: readonly number[], workload: Workload): number {
  let units = 0;
  for (const sequence of sequences) units += leastUnits(sequence, workload);
  return units / (workload.capacity * workload.size);
}

/**
 * Sequences in bins of one cell's memory, evened out by work: longest first, so that those which nearly fill a cell
 * find it empty, to the bin with the least work that has room. More bins than `count` where that fails.
 *
 * @param sequences longest first
 * @returns the bins that are not empty; each longest first
 */
export function balancedBins(
  sequences: readonly number[],
  count: number,
  workload: Workload,
): readonly (readonly number[])[] {
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const bins = fill(sequences, count + restart, false, workload);
    if (bins) return bins;
  }
  return fill(sequences, count, true, workload) ?? [];
}

function fill(
  sequences: readonly number[],
  count: number,
  growing: boolean,
  workload: Workload,
): readonly (readonly number[])[] | undefined {
  const whole = workload.capacity * workload.size;
  const bins = emptyBins(growing ? count + sequences.length : count, whole);
  const members: number[][] = Array.from({ length: count }, () => []);
  const queue = new BinQueue(bins, count);
  const { work } = workload.levels[0] as Level;
  for (const sequence of sequences) {
    const units = leastUnits(sequence, workload);
    let bin = queue.place(work[sequence] as number, units);
    if (bin < 0) {
      if (!growing) return undefined;
      queue.open(members.push([]) - 1);
      bin = queue.place(work[sequence] as number, units);
    }
    members[bin]?.push(sequence);
  }
  return members.filter((own) => own.length > 0);
}
