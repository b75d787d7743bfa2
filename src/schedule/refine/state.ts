import type { Cell } from "../cell/cell.js";
import type { Rows } from "../rows.js";
import type { Workload } from "../workload.js";

/** A cell under search: members longest first, with the index of each one's level. Replaced, never changed. */
export interface OpenCell {
  readonly members: readonly number[];
  readonly levels: readonly number[];
  /** us; 0 without members */
  readonly time: number;
  /**
   * The cell that it was opened from, where that is so: it may have been found in a way that a placer, given its
   * degrees alone, does not find again. Without one, placing the members at these levels gives this time.
   */
  readonly cell?: Cell;
}

export const EMPTY_CELL: OpenCell = { members: [], levels: [], time: 0 };

/**
 * The cells of a schedule under search, and what they take. Cell c belongs to row `rowOf[c]`. Under lockstep rows do
 * not matter: cells run side by side in descending order of time, which is the best that can be done with them.
 */
export class State {
  readonly cells: OpenCell[] = [];
  readonly rowOf: number[] = [];
  readonly #lockstep: boolean;
  readonly #rows: number;

  constructor(rows: Rows, workload: Workload) {
    this.#rows = workload.rows;
    // With one row the two objectives are the same sum.
    this.#lockstep = workload.problem.objective === "lockstep" && workload.rows > 1;
    for (const [row, cells] of rows.entries()) {
      for (const cell of cells) {
        if (cell.sequences.length > 0) this.#add(openCell(cell, workload), row);
      }
      // Room for a micro-batch more.
      this.#add(EMPTY_CELL, row);
    }
  }

  get lockstep(): boolean {
    return this.#lockstep;
  }

  /** Time of the schedule, us. */
  time(): number {
    if (this.#lockstep) {
      let total = 0;
      const times = this.#descending();
      for (let at = 0; at < times.length; at += this.#rows) total += times[at] as number;
      return total;
    }
    let slowest = 0;
    for (const total of this.rowTotals()) if (total > slowest) slowest = total;
    return slowest;
  }

  /** Time of all cells spread evenly over the rows, us: what falls although the schedule's time does not yet. */
  spread(): number {
    let total = 0;
    for (const { time } of this.cells) total += time;
    return total / this.#rows;
  }

  /** Time of every row, us. */
  rowTotals(): Float64Array {
    const totals = new Float64Array(this.#rows);
    for (let at = 0; at < this.cells.length; at += 1) {
      const row = this.rowOf[at] as number;
      totals[row] = (totals[row] as number) + (this.cells[at] as OpenCell).time;
    }
    return totals;
  }

  /** Cells with members in descending order of time, those that run side by side next to each other. */
  byTime(): number[] {
    const filled = [...this.cells.keys()].filter((cell) => this.cells[cell]?.members.length);
    return filled.sort((a, b) => this.#timeOf(b) - this.#timeOf(a) || a - b);
  }

  #timeOf(cell: number): number {
    return (this.cells[cell] as OpenCell).time;
  }

  #descending(): Float64Array {
    return Float64Array.from(this.cells, ({ time }) => time)
      .sort()
      .reverse();
  }

  #add(cell: OpenCell, row: number): void {
    this.cells.push(cell);
    this.rowOf.push(row);
  }
}

/** A cell as the search has it. */
export function openCell(cell: Cell, workload: Workload): OpenCell {
  const { lengths } = workload.problem;
  const order = [...cell.sequences.keys()].sort((a, b) => {
    const [first, second] = [cell.sequences[a] as number, cell.sequences[b] as number];
    return (lengths[second] as number) - (lengths[first] as number) || first - second;
  });
  return {
    members: order.map((at) => cell.sequences[at] as number),
    levels: order.map((at) => cell.levels[at] as number),
    time: cell.time,
    cell,
  };
}
