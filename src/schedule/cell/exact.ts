import { type Level, levelCommunication, type Workload } from "../workload.js";
import { type Cell, makeCell } from "./cell.js";

/** Cells of at most this size and this many ranks are searched exhaustively. */
const MOST_MEMBERS = 16;
const MOST_RANKS = 4;
/** Places looked at before the search gives up on proving anything. */
const MOST_NODES = 3_000_000;
/** Places between looks at the clock. */
const NODES_PER_LOOK = 4096;

export function isSmall(members: number, workload: Workload): boolean {
  return members <= MOST_MEMBERS && workload.size <= MOST_RANKS;
}

/**
 * Branch and bound over all placements of a small cell, longest sequence first. Bounds: no rank gets faster as more
 * is placed, and the slowest is no faster than an even spread of all work.
 *
 * @param mayGoOn whether there is time left
 * @returns a faster cell, or the one given where there is none
 */
export function exactCell(cell: Cell, workload: Workload, mayGoOn = () => true): Cell {
  const { fixed, least } = workload.problem.cost;
  if (cell.time <= least + fixed) return cell;
  const members = [...cell.sequences].sort((a, b) => byLength(a, b, workload));
  const search = new ExactSearch(members, cell.time - fixed, workload, mayGoOn);
  search.descend(0);
  if (!search.best) return cell;
  const { levels, firsts } = search.best;
  const found = makeCell(members, levels, firsts, workload);
  return found.time < cell.time ? found : cell;
}

const byLength = (a: number, b: number, { problem: { lengths } }: Workload): number =>
  (lengths[b] as number) - (lengths[a] as number) || a - b;

class ExactSearch {
  best: { levels: number[]; firsts: number[] } | undefined;
  readonly #local: Float64Array;
  /** Local tokens by rank: unlike times, they come back to nothing exactly. */
  readonly #held: Float64Array;
  readonly #sharded: Float64Array;
  readonly #room: Float64Array;
  /** Tokens by level and group. */
  readonly #tokens: readonly Float64Array[];
  readonly #levels: number[] = [];
  readonly #firsts: number[] = [];
  /** Least work of the sequences from each position on, over all ranks, us. */
  readonly #remaining: Float64Array;
  #nodes = 0;

  constructor(
    private readonly members: readonly number[],
    /** us; only what is faster counts */
    private limit: number,
    private readonly workload: Workload,
    private readonly mayGoOn: () => boolean,
  ) {
    const { size, levels, capacity } = workload;
    this.#local = new Float64Array(size);
    this.#held = new Float64Array(size);
    this.#sharded = new Float64Array(size);
    this.#room = new Float64Array(size).fill(capacity);
    this.#tokens = levels.map(({ degree }) => new Float64Array(size / degree));
    this.#remaining = new Float64Array(members.length + 1);
    const { work } = levels[0] as Level;
    for (let at = members.length - 1; at >= 0; at -= 1) {
      const own = work[members[at] as number] as number;
      this.#remaining[at] = (this.#remaining[at + 1] as number) + own;
    }
  }

  /** Places the member at a position in every way that may still be faster, and the ones after it. */
  descend(at: number): void {
    this.#nodes += 1;
    if (this.#nodes % NODES_PER_LOOK === 0 && !this.mayGoOn()) this.#nodes = MOST_NODES;
    if (this.#nodes > MOST_NODES || this.#bound(at) >= this.limit) return;
    if (at === this.members.length) {
      this.limit = this.#slowest();
      this.best = { levels: [...this.#levels], firsts: [...this.#firsts] };
      return;
    }
    const sequence = this.members[at] as number;
    for (const [n, level] of this.workload.levels.entries()) {
      if ((level.units[sequence] as number) > this.workload.capacity) continue;
      for (const group of this.#distinctGroups(n, level)) this.#tryAt(at, sequence, n, group);
    }
  }

  #tryAt(at: number, sequence: number, n: number, group: number): void {
    const level = this.workload.levels[n] as Level;
    const first = group * level.degree;
    const units = level.units[sequence] as number;
    for (let r = first; r < first + level.degree; r += 1) {
      if ((this.#room[r] as number) < units) return;
    }
    this.#put(sequence, n, group, 1);
    this.#levels.push(n);
    this.#firsts.push(first);
    this.descend(at + 1);
    this.#levels.pop();
    this.#firsts.pop();
    this.#put(sequence, n, group, -1);
  }

  #put(sequence: number, n: number, group: number, sign: number): void {
    const level = this.workload.levels[n] as Level;
    const side = n === 0 ? this.#local : this.#sharded;
    const first = group * level.degree;
    for (let r = first; r < first + level.degree; r += 1) {
      side[r] = (side[r] as number) + sign * (level.work[sequence] as number);
      this.#room[r] = (this.#room[r] as number) - sign * (level.units[sequence] as number);
    }
    const length = this.workload.problem.lengths[sequence] as number;
    if (n === 0) {
      this.#held[first] = (this.#held[first] as number) + sign * length;
      return;
    }
    const tokens = this.#tokens[n] as Float64Array;
    tokens[group] = (tokens[group] as number) + sign * length;
  }

  /**
   * Groups of a level, one of each kind: of those side by side in the same wider group that hold nothing, the first.
   * Every level's groups lie within those of the next.
   */
  #distinctGroups(n: number, { degree }: Level): number[] {
    const groups = this.workload.size / degree;
    return Array.from({ length: groups }, (_, group) => group).filter((group) =>
      this.#isFirstOfItsKind(n, group * degree),
    );
  }

  #isFirstOfItsKind(from: number, rank: number): boolean {
    const { levels, size } = this.workload;
    for (let n = from; n < levels.length; n += 1) {
      const { degree } = levels[n] as Level;
      const wider = levels[n + 1]?.degree ?? size;
      const own = Math.floor(rank / degree) * degree;
      if (own % wider !== 0 && this.#isEmpty(own, n) && this.#isEmpty(own - degree, n))
        return false;
    }
    return true;
  }

  /** Whether no group within the one of a level that begins at `first` holds anything. */
  #isEmpty(first: number, n: number): boolean {
    const { levels } = this.workload;
    const { degree } = levels[n] as Level;
    for (let r = first; r < first + degree; r += 1) if ((this.#held[r] as number) > 0) return false;
    for (let m = 1; m <= n; m += 1) {
      const within = levels[m] as Level;
      const tokens = this.#tokens[m] as Float64Array;
      for (let g = first / within.degree; g < (first + degree) / within.degree; g += 1)
        if ((tokens[g] as number) > 0) return false;
    }
    return true;
  }

  #bound(at: number): number {
    let total = this.#remaining[at] as number;
    for (let r = 0; r < this.workload.size; r += 1) {
      total += (this.#local[r] as number) + (this.#sharded[r] as number);
    }
    return Math.max(total / this.workload.size, this.#slowest());
  }

  #slowest(): number {
    const { levels, size } = this.workload;
    let slowest = 0;
    for (let r = 0; r < size; r += 1) {
      let communication = 0;
      for (let n = 1; n < levels.length; n += 1) {
        const level = levels[n] as Level;
        const group = Math.floor(r / level.degree);
        communication += levelCommunication(
          level,
          (this.#tokens[n] as Float64Array)[group] as number,
        );
      }
      const hidden = Math.max(communication, this.#local[r] as number);
      slowest = Math.max(slowest, hidden + (this.#sharded[r] as number));
    }
    return slowest;
  }
}
