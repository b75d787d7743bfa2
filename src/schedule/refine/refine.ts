import { ROUNDS_PER_RANK } from "../../foundation/limits.generated.js";
import { random32 } from "../../foundation/random.js";
import { type Cell, makeCell } from "../cell/cell.js";
import { exactCell, isSmall } from "../cell/exact.js";
import { Placer } from "../cell/placer.js";
import { solveCell } from "../cell/solve-cell.js";
import { bestThreshold } from "../cell/thresholds.js";
import { aligned, dealt, type Rows } from "../rows.js";
import { microBatchTime } from "../time-and-memory.js";
import type { Workload } from "../workload.js";
import type { Budget } from "./budget.js";
import { type Draft, Moves } from "./moves.js";
import { EMPTY_CELL, type OpenCell, openCell, State } from "./state.js";

/** How much of a rise in time is tolerated at first, as a share of the distance to the lower bound. */
const FIRST_TOLERANCE = 0.02;
/** The same for small batches, where a move changes much. */
const FIRST_TOLERANCE_IF_SMALL = 1.5;
/** Weight of all cells' time beside the schedule's: it tells plateaus apart. */
const SPREAD_WEIGHT = 3;

/**
 * Local search on the true objective: sequences move and change places between cells, and change degree; the two
 * cells are placed anew. A rise in time is tolerated within a limit that falls to nothing as the budget is used up
 * (threshold accepting); the best schedule met is returned, never one worse than the first.
 *
 * @param bound us; the search ends where it is reached
 */
export function refine(rows: Rows, workload: Workload, bound: number, budget: Budget): Rows {
  const search = new Search(rows, workload);
  search.run(bound, budget);
  return search.best();
}

class Search {
  readonly #state: State;
  readonly #moves: Moves;
  readonly #placer: Placer;
  /** Whether every cell is small enough to be solved exhaustively. */
  readonly #exact: boolean;
  readonly #solved = new Map<string, OpenCell | undefined>();
  #energy: number;
  #bestTime: number;
  #bestCells: readonly OpenCell[];

  constructor(
    private readonly rows: Rows,
    private readonly workload: Workload,
  ) {
    this.#state = new State(rows, workload);
    this.#moves = new Moves(workload, random32(workload.problem.seed, 0));
    this.#placer = new Placer(workload);
    this.#exact = isSmall(workload.order.length, workload);
    this.#energy = this.#energyNow();
    this.#bestTime = this.#state.time();
    this.#bestCells = [...this.#state.cells];
  }

  run(bound: number, budget: Budget): void {
    if (this.workload.order.length === 0) return;
    const first = this.#exact ? FIRST_TOLERANCE_IF_SMALL : FIRST_TOLERANCE;
    const tolerance = first * (this.#bestTime - bound);
    for (let moves = 0; this.#bestTime > bound; moves += 1) {
      const used = budget.used(moves);
      if (used >= 1) return;
      this.#attempt(this.#moves.propose(this.#state), tolerance * (1 - used) * (1 - used));
    }
  }

  best(): Rows {
    const { lockstep, rowOf } = this.#state;
    const rows = this.rows.map((): Cell[] => []);
    for (const [at, cell] of this.#bestCells.entries()) {
      if (cell.members.length > 0) rows[rowOf[at] as number]?.push(this.close(cell));
    }
    return lockstep ? dealt(rows.flat(), this.workload.rows) : aligned(rows);
  }

  /** What was opened is closed as it was: only cells that this search placed are placed again. */
  close({ members, levels, cell }: OpenCell): Cell {
    if (cell) return cell;
    this.#placer.place(members, levels, ROUNDS_PER_RANK * this.workload.size);
    return makeCell(members, levels, this.#placer.firsts, this.workload);
  }

  #energyNow(): number {
    return this.#state.time() + SPREAD_WEIGHT * this.#state.spread();
  }

  #attempt(drafts: readonly Draft[], tolerance: number): void {
    const { cells } = this.#state;
    const old: OpenCell[] = [];
    for (const draft of drafts) {
      const placed = this.#place(draft);
      if (!placed) break;
      old.push(cells[draft.cell] as OpenCell);
      cells[draft.cell] = placed;
    }
    if (drafts.length > 0 && old.length === drafts.length && this.#accept(tolerance)) return;
    for (const [n, cell] of old.entries()) cells[(drafts[n] as Draft).cell] = cell;
  }

  #accept(tolerance: number): boolean {
    const energy = this.#energyNow();
    if (energy > this.#energy + tolerance) return false;
    this.#energy = energy;
    const time = this.#state.time();
    if (time < this.#bestTime) {
      this.#bestTime = time;
      this.#bestCells = [...this.#state.cells];
    }
    return true;
  }

  /** With the degrees as they were, or the best threshold if that is faster; `undefined` without room. */
  #place({ members, levels }: Draft): OpenCell | undefined {
    if (members.length === 0) return EMPTY_CELL;
    if (this.#exact) return this.#placeExactly(members);
    const rounds = ROUNDS_PER_RANK * this.workload.size;
    const { problem } = this.workload;
    const kept = this.#placer.place(members, levels, rounds);
    const threshold = bestThreshold(members, this.workload, this.#placer, rounds, 1);
    if (threshold && threshold.time < kept) {
      return {
        members,
        levels: [...threshold.levels],
        time: microBatchTime(threshold.time, problem),
      };
    }
    return kept < Number.POSITIVE_INFINITY
      ? { members, levels, time: microBatchTime(kept, problem) }
      : undefined;
  }

  /** In a small batch the same cells come up again and again: each is solved once, exhaustively. */
  #placeExactly(members: readonly number[]): OpenCell | undefined {
    const key = members.join();
    const known = this.#solved.get(key);
    if (known || this.#solved.has(key)) return known;
    const cell = solveCell(members, this.workload, this.#placer);
    const found = cell && openCell(exactCell(cell, this.workload), this.workload);
    this.#solved.set(key, found);
    return found;
  }
}
