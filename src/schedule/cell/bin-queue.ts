import { type Bins, put } from "./bins.js";

/**
 * Bins in the order of their load, so that placing an item does not look at all of them. Needs of items that come one after
 * another should fall, or mostly: a bin that is too full for an item waits until one comes that fits.
 */
export class BinQueue {
  /** Bins that have room for the last item, and some that have not been looked at since; the least loaded first. */
  readonly #ready: BinHeap;
  /** Bins that had no room; the most room first. */
  readonly #waiting: BinHeap;

  /** @param bins which nobody else changes as long as this is used @param count how many of them there are */
  constructor(
    private readonly bins: Bins,
    count: number,
  ) {
    const { load, room } = bins;
    this.#ready = new BinHeap(load.length, (a, b) => before(load, a, b));
    this.#waiting = new BinHeap(load.length, (a, b) => before(room, b, a));
    for (let bin = 0; bin < count; bin += 1) this.#ready.push(bin);
  }

  /** Another bin. */
  open(bin: number): void {
    this.#ready.push(bin);
  }

  /** Puts an item where `leastLoaded` would, and says where; -1, and nothing is changed, where no bin has room. */
  place(work: number, units: number): number {
    const { room } = this.bins;
    const ready = this.#ready;
    const waiting = this.#waiting;
    while (waiting.size > 0 && (room[waiting.first] as number) >= units)
      ready.push(waiting.takeFirst());
    while (ready.size > 0 && (room[ready.first] as number) < units) waiting.push(ready.takeFirst());
    if (ready.size === 0) return -1;
    const bin = ready.first;
    put(this.bins, bin, work, units);
    ready.sinkFirst();
    return bin;
  }
}

/** Whether a bin comes before another by a value, or by its number where these are equal. */
function before(values: Float64Array, a: number, b: number): boolean {
  const own = values[a] as number;
  const other = values[b] as number;
  return own < other || (own === other && a < b);
}

/** A binary heap of bins. */
class BinHeap {
  size = 0;
  readonly #bins: Int32Array;

  constructor(
    most: number,
    private readonly isBefore: (a: number, b: number) => boolean,
  ) {
    this.#bins = new Int32Array(most);
  }

  get first(): number {
    return this.#bins[0] as number;
  }

  push(bin: number): void {
    const bins = this.#bins;
    let at = this.size;
    this.size += 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(bin, bins[parent] as number)) break;
      bins[at] = bins[parent] as number;
      at = parent;
    }
    bins[at] = bin;
  }

  takeFirst(): number {
    const { first } = this;
    this.size -= 1;
    this.#sink(this.#bins[this.size] as number);
    return first;
  }

  /** Restores the order after the first one has come to be later. */
  sinkFirst(): void {
    this.#sink(this.first);
  }

  #sink(bin: number): void {
    const bins = this.#bins;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.isBefore(bins[child + 1] as number, bins[child] as number))
        child += 1;
      if (!this.isBefore(bins[child] as number, bin)) break;
      bins[at] = bins[child] as number;
      at = child;
    }
    bins[at] = bin;
  }
}
