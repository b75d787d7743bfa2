interface Bin {
  readonly index: number;
  readonly load: number;
}

/** Bins by load in a binary heap; among equals the lowest index is the least. */
export class LeastLoaded {
  readonly #heap: Bin[];

  constructor(bins: number) {
    // Equal loads in order of index are a heap already.
    this.#heap = Array.from({ length: bins }, (_, index) => ({ index, load: 0 }));
  }

  /** Adds to the least loaded bin and returns its index. */
  add(amount: number): number {
    const least = this.#at(0);
    this.#sink({ index: least.index, load: least.load + amount });
    return least.index;
  }

  #at(position: number): Bin {
    const bin = this.#heap[position];
    if (bin === undefined) throw new RangeError(`no bin at ${position}`);
    return bin;
  }

  /** Puts `bin` in the root's place and lets it sink to where the order holds. */
  #sink(bin: Bin): void {
    let position = 0;
    for (;;) {
      const child = this.#lesserChild(position);
      if (child === undefined || !isLess(this.#at(child), bin)) break;
      this.#heap[position] = this.#at(child);
      position = child;
    }
    this.#heap[position] = bin;
  }

  #lesserChild(position: number): number | undefined {
    const [left, right] = [2 * position + 1, 2 * position + 2];
    if (left >= this.#heap.length) return undefined;
    return right < this.#heap.length && isLess(this.#at(right), this.#at(left)) ? right : left;
  }
}

function isLess(a: Bin, b: Bin): boolean {
  return a.load < b.load || (a.load === b.load && a.index < b.index);
}
