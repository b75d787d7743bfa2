import { random32 } from "../../foundation/random.js";
import { type Rows, rowsTime } from "../rows.js";
import type { Workload } from "../workload.js";
import { Energy } from "./energy.js";
import { exponential } from "./exponential.js";
import { Neighbours, type Place } from "./neighbours.js";
import { Slots } from "./slots.js";

/** First temperature, as a share of the distance to the lower bound. */
const FIRST_TEMPERATURE = 0.005;
/** The same for small batches, where a move changes much. */
const FIRST_TEMPERATURE_IF_SMALL = 0.3;
/** Sequences of a small batch. */
const SMALL = 16;
/** Steps in which the temperature falls to {@link COOLED} of the first. */
const STEPS = 256;
/** 1e-5 to the power of 1 / STEPS. */
const COOLING = 0.9560239010953075;
/** Moves until all sums are worked out anew. */
const MOVES_PER_REBUILD = 131_072;
/** Moves between looks at the budget. */
const MOVES_PER_LOOK = 64;

/** Whether a batch is so small that a move changes much. */
export const isSmallBatch = ({ order }: Workload): boolean => order.length <= SMALL;

/** Share of the budget that is used up, 0 to 1, after a number of moves. */
export type Used = (moves: number) => number;

/**
 * Simulated annealing over places: one sequence goes elsewhere or two change places, two cells at most are timed anew, and
 * a rise is accepted with a probability that falls to nothing as the budget is used up.
 *
 * @param bound us; the search ends where it is reached
 * @returns the best schedule met; the one given where none is better
 */
export function anneal(
  rows: Rows,
  workload: Workload,
  bound: number,
  stream: number,
  used: Used,
): Rows {
  const search = new Annealing(rows, workload, stream);
  search.run(bound, used);
  const found = search.best();
  // By the exact times: those that the search goes by have rounding errors.
  return found && rowsTime(found, workload) < rowsTime(rows, workload) ? found : rows;
}

class Annealing {
  readonly #slots: Slots;
  readonly #energy: Energy;
  readonly #neighbours: Neighbours;
  readonly #random: () => number;
  readonly #best: Best;
  #value: number;
  #bestTime: number;
  #improved = false;
  /** Of the two cells that a move changes, before it. */
  readonly #time = [0, 0];
  readonly #mean = [0, 0];
  readonly #slowest = [0, 0];
  readonly #old: readonly [Place, Place] = [
    { sequence: -1, cell: 0, level: 0, group: 0 },
    { sequence: -1, cell: 0, level: 0, group: 0 },
  ];

  constructor(
    rows: Rows,
    private readonly workload: Workload,
    stream: number,
  ) {
    this.#slots = new Slots(rows, workload);
    this.#energy = new Energy(this.#slots, workload.rows);
    this.#random = random32(workload.problem.seed, stream);
    this.#neighbours = new Neighbours(this.#slots, workload, this.#random);
    this.#best = new Best(this.#slots);
    this.#value = this.#energy.value();
    this.#bestTime = this.#energy.time();
  }

  run(bound: number, used: Used): void {
    const share = isSmallBatch(this.workload) ? FIRST_TEMPERATURE_IF_SMALL : FIRST_TEMPERATURE;
    const first = share * (this.#bestTime - bound);
    if (this.workload.order.length === 0 || !(first > 0)) return;
    const temperatures = new Float64Array(STEPS + 1);
    temperatures[0] = first;
    for (let n = 1; n <= STEPS; n += 1) temperatures[n] = (temperatures[n - 1] as number) * COOLING;
    let temperature = first;
    for (let moves = 0; ; moves += 1) {
      if (moves % MOVES_PER_LOOK === 0) {
        const gone = used(moves);
        if (gone >= 1 || this.#bestTime <= bound) return;
        temperature = temperatures[Math.floor(gone * STEPS)] as number;
        if (moves % MOVES_PER_REBUILD === MOVES_PER_REBUILD - MOVES_PER_LOOK) this.#rebuild();
      }
      if (this.#neighbours.draw()) this.#attempt(temperature);
    }
  }

  best(): Rows | undefined {
    if (!this.#improved) return undefined;
    this.#best.restore();
    return this.#slots.toRows();
  }

  #rebuild(): void {
    this.#slots.rebuild();
    this.#energy.rebuild();
    this.#value = this.#energy.value();
  }

  #attempt(temperature: number): void {
    const { first, second } = this.#neighbours;
    const a = this.#slots.cellOf[first.sequence] as number;
    const b = first.cell;
    this.#leave(0, first.sequence);
    if (second.sequence >= 0) this.#leave(1, second.sequence);
    this.#keep(0, a);
    if (a !== b) this.#keep(1, b);
    if (!this.#enter(first, second)) {
      this.#back(second.sequence >= 0);
      return;
    }
    this.#count(a, b, -1);
    this.#slots.evaluate(a);
    if (a !== b) this.#slots.evaluate(b);
    this.#count(a, b, 1);
    const value = this.#energy.value();
    if (value <= this.#value + temperature * exponential(this.#random())) {
      this.#accept(value, first.sequence, second.sequence);
      return;
    }
    this.#slots.take(first.sequence);
    if (second.sequence >= 0) this.#slots.take(second.sequence);
    this.#back(second.sequence >= 0);
    this.#count(a, b, -1);
    this.#restore(0, a);
    if (a !== b) this.#restore(1, b);
    this.#count(a, b, 1);
  }

  #count(a: number, b: number, sign: number): void {
    this.#energy.add(a, sign);
    if (a !== b) this.#energy.add(b, sign);
  }

  #leave(n: 0 | 1, sequence: number): void {
    const { cellOf, levelOf, groupOf } = this.#slots;
    const old = this.#old[n];
    old.sequence = sequence;
    old.cell = cellOf[sequence] as number;
    old.level = levelOf[sequence] as number;
    old.group = groupOf[sequence] as number;
    this.#slots.take(sequence);
  }

  #keep(n: 0 | 1, cell: number): void {
    const { time, mean, slowest } = this.#slots;
    this.#time[n] = time[cell] as number;
    this.#mean[n] = mean[cell] as number;
    this.#slowest[n] = slowest[cell] as number;
  }

  #restore(n: 0 | 1, cell: number): void {
    const { time, mean, slowest } = this.#slots;
    time[cell] = this.#time[n] as number;
    mean[cell] = this.#mean[n] as number;
    slowest[cell] = this.#slowest[n] as number;
  }

  /** Puts what has left where it goes; false, and it is still nowhere, where there is no room. */
  #enter(first: Place, second: Place): boolean {
    const slots = this.#slots;
    if (!slots.fits(first.sequence, first.cell, first.level, first.group)) return false;
    slots.put(first.sequence, first.cell, first.level, first.group);
    if (second.sequence < 0) return true;
    if (slots.fits(second.sequence, second.cell, second.level, second.group)) {
      slots.put(second.sequence, second.cell, second.level, second.group);
      return true;
    }
    slots.take(first.sequence);
    return false;
  }

  #back(both: boolean): void {
    const [first, second] = this.#old;
    this.#slots.put(first.sequence, first.cell, first.level, first.group);
    if (both) this.#slots.put(second.sequence, second.cell, second.level, second.group);
  }

  #accept(value: number, first: number, second: number): void {
    this.#value = value;
    this.#best.touch(first);
    if (second >= 0) this.#best.touch(second);
    const time = this.#energy.time();
    if (time >= this.#bestTime) return;
    this.#bestTime = time;
    this.#improved = true;
    this.#best.save();
  }
}

/** The best places met. Only what has moved since is copied, so that keeping them costs no more than the moves do. */
class Best {
  readonly #cell: Int32Array;
  readonly #level: Int32Array;
  readonly #group: Int32Array;
  readonly #isTouched: Uint8Array;
  readonly #touched: number[] = [];

  constructor(private readonly slots: Slots) {
    this.#cell = slots.cellOf.slice();
    this.#level = slots.levelOf.slice();
    this.#group = slots.groupOf.slice();
    this.#isTouched = new Uint8Array(this.#cell.length);
  }

  touch(sequence: number): void {
    if (this.#isTouched[sequence] === 1) return;
    this.#isTouched[sequence] = 1;
    this.#touched.push(sequence);
  }

  save(): void {
    const { cellOf, levelOf, groupOf } = this.slots;
    for (const sequence of this.#touched) {
      this.#cell[sequence] = cellOf[sequence] as number;
      this.#level[sequence] = levelOf[sequence] as number;
      this.#group[sequence] = groupOf[sequence] as number;
      this.#isTouched[sequence] = 0;
    }
    this.#touched.length = 0;
  }

  restore(): void {
    for (const sequence of this.#touched) this.slots.take(sequence);
    for (const sequence of this.#touched) {
      const cell = this.#cell[sequence] as number;
      this.slots.put(
        sequence,
        cell,
        this.#level[sequence] as number,
        this.#group[sequence] as number,
      );
    }
  }
}
