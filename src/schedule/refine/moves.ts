import { type Random32, randomBelow } from "../../foundation/random.js";
import type { Level, Workload } from "../workload.js";
import type { OpenCell, State } from "./state.js";

/** Members and levels that a move gives to a cell; it is yet to be placed. */
export interface Draft {
  readonly cell: number;
  readonly members: readonly number[];
  readonly levels: readonly number[];
}

/** Proposes changes of a state at random, most of them where the schedule's time is made. */
export class Moves {
  /** Position of every sequence in the order of lengths. */
  readonly #place: Int32Array;

  constructor(
    private readonly workload: Workload,
    private readonly random: Random32,
  ) {
    this.#place = new Int32Array(workload.order.length);
    for (const [at, sequence] of workload.order.entries()) this.#place[sequence] = at;
  }

  /** The cells that one move changes; empty where the one drawn makes no sense. */
  propose(state: State): readonly Draft[] {
    const first = this.#criticalCell(state);
    const draw = this.#below(8);
    if (draw === 0) return this.#otherDegree(first, state);
    const second = this.#otherCell(first, state);
    if (second < 0) return this.#otherDegree(first, state);
    return this.#exchange(first, second, draw < 3, state);
  }

  #below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  /** Mostly a cell that sets the time: of the slowest row, or the slowest of those side by side. */
  #criticalCell(state: State): number {
    const filled = filledCells(state);
    const any = filled[this.#below(filled.length)] as number;
    if (this.#below(4) === 0) return any;
    if (state.lockstep) {
      const order = state.byTime();
      const rounds = Math.ceil(filled.length / this.workload.rows);
      return order[this.#below(rounds) * this.workload.rows] as number;
    }
    const slowest = indexOfMost(state.rowTotals());
    const own = filled.filter((cell) => state.rowOf[cell] === slowest);
    return own.length === 0 ? any : (own[this.#below(own.length)] as number);
  }

  /** Another cell, of another row where rows count; at times one that is still empty. */
  #otherCell(first: number, state: State): number {
    const mayBeEmpty = this.#below(16) === 0;
    const elsewhere = !state.lockstep && this.workload.rows > 1 && this.#below(4) > 0;
    const others: number[] = [];
    for (const [cell, { members }] of state.cells.entries()) {
      if (cell === first || (members.length === 0 && !mayBeEmpty)) continue;
      if (elsewhere && state.rowOf[cell] === state.rowOf[first]) continue;
      others.push(cell);
    }
    return others.length === 0 ? -1 : (others[this.#below(others.length)] as number);
  }

  #otherDegree(cell: number, state: State): readonly Draft[] {
    const { members, levels } = state.cells[cell] as OpenCell;
    const at = this.#below(members.length);
    const old = levels[at] as number;
    const count = this.workload.levels.length;
    if (count === 1) return [];
    const level = (old + 1 + this.#below(count - 1)) % count;
    return [{ cell, members, levels: levels.with(at, level) }];
  }

  /** Gives a sequence of the first cell to the second, for one in return unless `oneWay`. */
  #exchange(first: number, second: number, oneWay: boolean, state: State): readonly Draft[] {
    const from = state.cells[first] as OpenCell;
    const to = state.cells[second] as OpenCell;
    const given = this.#below(from.members.length);
    const taken = oneWay || to.members.length === 0 ? -1 : this.#partner(given, from, to, state);
    return [
      this.#draft(first, from, given, to, taken),
      this.#draft(second, to, taken, from, given),
    ];
  }

  /** What comes back: any sequence, or the one whose difference in work evens out the two cells best. */
  #partner(given: number, from: OpenCell, to: OpenCell, state: State): number {
    if (this.#below(2) === 0) return this.#below(to.members.length);
    const { work } = this.workload.levels[0] as Level;
    const half = (this.#difference(from, to, state) * this.workload.size) / 2;
    const wanted = (work[from.members[given] as number] as number) - half;
    return nearest(to.members, work, wanted);
  }

  /** By how much the first cell, or its row, is slower, us. */
  #difference(from: OpenCell, to: OpenCell, state: State): number {
    if (state.lockstep) return from.time - to.time;
    const totals = state.rowTotals();
    const [a, b] = [from, to].map((cell) => state.rowOf[state.cells.indexOf(cell)] as number);
    return a === b ? 0 : (totals[a as number] as number) - (totals[b as number] as number);
  }

  /** A cell without its member at `leaving`, and with the other cell's at `entering`, longest first as ever. */
  #draft(
    cell: number,
    { members, levels }: OpenCell,
    leaving: number,
    other: OpenCell,
    entering: number,
  ): Draft {
    const newMembers: number[] = [];
    const newLevels: number[] = [];
    let pending = entering >= 0 ? (other.members[entering] as number) : -1;
    const level = entering >= 0 ? (other.levels[entering] as number) : 0;
    for (let at = 0; at < members.length; at += 1) {
      const member = members[at] as number;
      if (pending >= 0 && (this.#place[pending] as number) < (this.#place[member] as number)) {
        newMembers.push(pending);
        newLevels.push(level);
        pending = -1;
      }
      if (at === leaving) continue;
      newMembers.push(member);
      newLevels.push(levels[at] as number);
    }
    if (pending >= 0) {
      newMembers.push(pending);
      newLevels.push(level);
    }
    return { cell, members: newMembers, levels: newLevels };
  }
}

function filledCells(state: State): number[] {
  const filled: number[] = [];
  for (const [cell, { members }] of state.cells.entries())
    if (members.length > 0) filled.push(cell);
  return filled;
}

function indexOfMost(values: Float64Array): number {
  let best = 0;
  for (let n = 1; n < values.length; n += 1) {
    if ((values[n] as number) > (values[best] as number)) best = n;
  }
  return best;
}

/** Position of the member whose work is nearest to `wanted`. */
function nearest(members: readonly number[], work: Float64Array, wanted: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < members.length; at += 1) {
    const distance = Math.abs((work[members[at] as number] as number) - wanted);
    if (distance < least) {
      least = distance;
      best = at;
    }
  }
  return best;
}
