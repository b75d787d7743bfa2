import { type Cell, makeCell } from "../cell/cell.js";
import type { Rows } from "../rows.js";
import { levelCommunication, type Workload } from "../workload.js";

/**
 * Where every sequence is: a cell, a level and one of its groups. Times of ranks are kept up to date as sequences come
 * and go, so that a move costs as many additions as it changes ranks.
 */
export class Slots {
  readonly cellOf: Int32Array;
  readonly levelOf: Int32Array;
  /** Group of its level: it begins at `group * degree` of the cell's ranks. */
  readonly groupOf: Int32Array;
  /** Cells, those without members included. */
  readonly count: number;
  /** Row of each cell. */
  readonly rowOf: Int32Array;
  /** Time of each cell's slowest rank, with what every micro-batch takes, us; 0 for one without members. */
  readonly time: Float64Array;
  /** The slowest rank of each cell, counted from its first. */
  readonly slowest: Int32Array;
  /** A mean of the times of a cell's ranks that leans towards the slow ones, us. */
  readonly mean: Float64Array;
  readonly members: readonly number[][];
  /** Position of every sequence among its cell's members. */
  readonly #at: Int32Array;
  readonly #local: Float64Array;
  readonly #sharded: Float64Array;
  readonly #communication: Float64Array;
  readonly #used: Float64Array;
  /** Tokens by cell, level and group; `#groups` of them in a cell. */
  readonly #tokens: Float64Array;
  readonly #firstGroup: Int32Array;
  readonly #groups: number;
  readonly #degree: Int32Array;
  readonly #work: readonly Float64Array[];
  readonly #units: readonly Float64Array[];

  /** @param rows a schedule; each row gets an empty cell besides */
  constructor(
    rows: Rows,
    private readonly workload: Workload,
  ) {
    const { levels, size, problem } = workload;
    const filled = rows.map((row) => row.filter(({ sequences }) => sequences.length > 0));
    this.count = filled.reduce((sum, row) => sum + row.length + 1, 0);
    this.#degree = Int32Array.from(levels, ({ degree }) => degree);
    this.#work = levels.map(({ work }) => work);
    this.#units = levels.map(({ units }) => units);
    this.#firstGroup = new Int32Array(levels.length);
    let groups = 0;
    for (const [n, { degree }] of levels.entries()) {
      this.#firstGroup[n] = groups;
      groups += Math.floor(size / degree);
    }
    this.#groups = groups;
    const sequences = problem.lengths.length;
    this.cellOf = new Int32Array(sequences);
    this.levelOf = new Int32Array(sequences);
    this.groupOf = new Int32Array(sequences);
    this.#at = new Int32Array(sequences);
    this.rowOf = new Int32Array(this.count);
    this.time = new Float64Array(this.count);
    this.slowest = new Int32Array(this.count);
    this.mean = new Float64Array(this.count);
    this.members = Array.from({ length: this.count }, () => []);
    const ranks = this.count * size;
    this.#local = new Float64Array(ranks);
    this.#sharded = new Float64Array(ranks);
    this.#communication = new Float64Array(ranks);
    this.#used = new Float64Array(ranks);
    this.#tokens = new Float64Array(this.count * groups);
    this.#fill(filled);
  }

  #fill(rows: Rows): void {
    let cell = 0;
    for (const [row, cells] of rows.entries()) {
      for (const { sequences, levels, firsts } of cells) {
        this.rowOf[cell] = row;
        for (const [k, sequence] of sequences.entries()) {
          const level = levels[k] as number;
          const group = Math.floor((firsts[k] as number) / (this.#degree[level] as number));
          this.put(sequence, cell, level, group);
        }
        this.evaluate(cell);
        cell += 1;
      }
      this.rowOf[cell] = row;
      cell += 1;
    }
  }

  /** How many groups a level has. */
  groupsOf(level: number): number {
    return Math.floor(this.workload.size / (this.#degree[level] as number));
  }

  /** The group of a level that a rank of the cell is in. */
  groupAround(rank: number, level: number): number {
    const group = Math.floor(rank / (this.#degree[level] as number));
    return Math.min(group, this.groupsOf(level) - 1);
  }

  /** First rank of a sequence's group, counted from the cell's first. */
  firstOf(sequence: number): number {
    const level = this.levelOf[sequence] as number;
    return (this.groupOf[sequence] as number) * (this.#degree[level] as number);
  }

  /** Whether a sequence is on a rank of its cell. */
  isOn(sequence: number, rank: number): boolean {
    const first = this.firstOf(sequence);
    return (
      rank >= first && rank < first + (this.#degree[this.levelOf[sequence] as number] as number)
    );
  }

  /** Whether the ranks of a group have room for a sequence. */
  fits(sequence: number, cell: number, level: number, group: number): boolean {
    const degree = this.#degree[level] as number;
    const units = (this.#units[level] as Float64Array)[sequence] as number;
    const free = this.workload.capacity - units;
    const from = cell * this.workload.size + group * degree;
    for (let r = from; r < from + degree; r += 1)
      if ((this.#used[r] as number) > free) return false;
    return true;
  }

  /** Puts a sequence that is nowhere in a place; whoever does it evaluates the cell afterwards. */
  put(sequence: number, cell: number, level: number, group: number): void {
    this.cellOf[sequence] = cell;
    this.levelOf[sequence] = level;
    this.groupOf[sequence] = group;
    const own = this.members[cell] as number[];
    this.#at[sequence] = own.length;
    own.push(sequence);
    this.#add(sequence, cell, level, group, 1);
  }

  /** Takes a sequence from where it is. */
  take(sequence: number): void {
    const cell = this.cellOf[sequence] as number;
    const own = this.members[cell] as number[];
    const last = own.pop() as number;
    if (last !== sequence) {
      const at = this.#at[sequence] as number;
      own[at] = last;
      this.#at[last] = at;
    }
    const level = this.levelOf[sequence] as number;
    this.#add(sequence, cell, level, this.groupOf[sequence] as number, -1);
  }

  #add(sequence: number, cell: number, level: number, group: number, sign: number): void {
    const degree = this.#degree[level] as number;
    const work = sign * ((this.#work[level] as Float64Array)[sequence] as number);
    const units = sign * ((this.#units[level] as Float64Array)[sequence] as number);
    const from = cell * this.workload.size + group * degree;
    if (level === 0) {
      this.#local[from] = (this.#local[from] as number) + work;
      this.#used[from] = (this.#used[from] as number) + units;
      return;
    }
    const at = cell * this.#groups + (this.#firstGroup[level] as number) + group;
    const before = this.#tokens[at] as number;
    const after = before + sign * (this.workload.problem.lengths[sequence] as number);
    this.#tokens[at] = after;
    const own = this.workload.levels[level] as Workload["levels"][number];
    const more = levelCommunication(own, after) - levelCommunication(own, before);
    for (let r = from; r < from + degree; r += 1) {
      this.#sharded[r] = (this.#sharded[r] as number) + work;
      this.#used[r] = (this.#used[r] as number) + units;
      this.#communication[r] = (this.#communication[r] as number) + more;
    }
  }

  /** Times a cell anew. */
  evaluate(cell: number): void {
    if ((this.members[cell] as number[]).length === 0) {
      this.time[cell] = 0;
      this.mean[cell] = 0;
      return;
    }
    const { size, problem } = this.workload;
    const { least, fixed } = problem.cost;
    const from = cell * size;
    let most = -1;
    let slowest = 0;
    let sum = 0;
    for (let r = from; r < from + size; r += 1) {
      const hidden = this.#communication[r] as number;
      const local = this.#local[r] as number;
      const time = (hidden > local ? hidden : local) + (this.#sharded[r] as number);
      if (time > most) {
        most = time;
        slowest = r - from;
      }
      const fourth = time * time * time * time;
      sum += fourth * fourth;
    }
    this.slowest[cell] = slowest;
    this.time[cell] = Math.max(least, most) + fixed;
    this.mean[cell] = Math.sqrt(Math.sqrt(Math.sqrt(sum / size))) + fixed;
  }

  /** Works every sum out from scratch: they gather rounding errors. */
  rebuild(): void {
    for (const values of [
      this.#local,
      this.#sharded,
      this.#communication,
      this.#used,
      this.#tokens,
    ])
      values.fill(0);
    for (const [cell, members] of this.members.entries()) {
      for (const sequence of members)
        this.#add(
          sequence,
          cell,
          this.levelOf[sequence] as number,
          this.groupOf[sequence] as number,
          1,
        );
      this.evaluate(cell);
    }
  }

  /** The schedule as it stands, exactly timed. */
  toRows(): Rows {
    const rows: Cell[][] = Array.from({ length: this.workload.rows }, () => []);
    for (const [cell, members] of this.members.entries()) {
      if (members.length === 0) continue;
      const levels = members.map((sequence) => this.levelOf[sequence] as number);
      const firsts = members.map((sequence) => this.firstOf(sequence));
      rows[this.rowOf[cell] as number]?.push(makeCell(members, levels, firsts, this.workload));
    }
    return rows;
  }
}
