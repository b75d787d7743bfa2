import type { Slots } from "./slots.js";

/** Weight of a cell's mean beside its slowest rank: it tells plateaus apart. */
const MEAN_WEIGHT = 0.5;
/** Weight of the mean of rows beside the slowest of them. */
const ROWS_WEIGHT = 0.5;

/** What a search makes small: the schedule's time, and what falls although that does not yet. */
export class Energy {
  /** us, by row */
  readonly #time: Float64Array;
  readonly #value: Float64Array;

  constructor(
    private readonly slots: Slots,
    rows: number,
  ) {
    this.#time = new Float64Array(rows);
    this.#value = new Float64Array(rows);
    this.rebuild();
  }

  rebuild(): void {
    this.#time.fill(0);
    this.#value.fill(0);
    for (let cell = 0; cell < this.slots.count; cell += 1) this.add(cell, 1);
  }

  /** Counts a cell in, or out. */
  add(cell: number, sign: number): void {
    const { rowOf, time, mean } = this.slots;
    const row = rowOf[cell] as number;
    const own = time[cell] as number;
    this.#time[row] = (this.#time[row] as number) + sign * own;
    const value = own + MEAN_WEIGHT * (mean[cell] as number);
    this.#value[row] = (this.#value[row] as number) + sign * value;
  }

  /** Time of the schedule, us. */
  time(): number {
    let slowest = 0;
    for (const time of this.#time) if (time > slowest) slowest = time;
    return slowest;
  }

  value(): number {
    if (this.#value.length === 1) return this.#value[0] as number;
    let most = 0;
    let sum = 0;
    for (const value of this.#value) {
      if (value > most) most = value;
      const fourth = value * value * value * value;
      sum += fourth * fourth;
    }
    const mean = Math.sqrt(Math.sqrt(Math.sqrt(sum / this.#value.length)));
    return most + ROWS_WEIGHT * mean;
  }
}
