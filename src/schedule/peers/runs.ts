/** Weight of attention, against that of everything else: a constant of transformers. */
const QUADRATIC = 0.001;

/** What `count` samples cost that are padded to `longest` tokens, as transformers counts it. */
export const paddedCost = (count: number, longest: number): number =>
  count * longest + QUADRATIC * count * longest * longest;

/** Cuts values into runs of the given counts. */
export function runsOf<T>(values: readonly T[], counts: readonly number[]): readonly T[][] {
  let from = 0;
  return counts.map((count) => {
    const run = values.slice(from, from + count);
    from += count;
    return run;
  });
}

/** The padded cost of every run. @param sorted lengths, longest first */
export function runCosts(sorted: readonly number[], counts: readonly number[]): Float64Array {
  const costs = new Float64Array(counts.length);
  let from = 0;
  for (let run = 0; run < counts.length; run += 1) {
    const count = counts[run] as number;
    costs[run] = count === 0 ? 0 : paddedCost(count, sorted[from] as number);
    from += count;
  }
  return costs;
}

/**
 * How many samples each run gets, so that runs of samples in order of length cost about the same: the dearest gives one
 * to the cheapest, again and again; the counts that spread least are kept. A run of one sample cannot give: the
 * `together` runs that it is among by cost are filled up to its cost, and take no further part.
 *
 * @param sorted lengths, longest first; at least one a run
 */
export function balancedRuns(
  sorted: readonly number[],
  runs: number,
  together: number,
): readonly number[] {
  const search = new RunSearch(sorted, runs, together);
  const steps = Math.max(30 * runs, sorted.length);
  for (let step = 0; step < steps && search.step(); step += 1);
  return search.best;
}

class RunSearch {
  best: readonly number[];
  readonly #counts: number[];
  readonly #frozen: Set<number> = new Set();
  #leastSpread = Number.POSITIVE_INFINITY;
  /** Counts of an earlier step: once they are met again, steps only repeat (Brent's way to find a cycle). */
  #earlier: readonly number[] = [];
  #untilEarlier = 1;
  #steps = 0;

  constructor(
    private readonly sorted: readonly number[],
    runs: number,
    private readonly together: number,
  ) {
    const least = Math.floor(sorted.length / runs);
    const rest = sorted.length - least * runs;
    this.#counts = Array.from({ length: runs }, (_, run) => least + (run < rest ? 1 : 0));
    this.best = [...this.#counts];
  }

  /** One move; whether there may be another. */
  step(): boolean {
    if (this.#isRepeated()) return false;
    const costs = runCosts(this.sorted, this.#counts);
    const active = [...costs.keys()].filter((run) => !this.#frozen.has(run));
    const dearest = indexOfMost(active, (run) => costs[run] as number);
    const cheapest = indexOfMost(active, (run) => -(costs[run] as number));
    if (active.length < 2 || dearest === undefined || cheapest === undefined) return false;
    const spread = (costs[dearest] as number) - (costs[cheapest] as number);
    if (spread < this.#leastSpread) {
      this.#leastSpread = spread;
      this.best = [...this.#counts];
    }
    if (spread === 0) return false;
    if (this.#counts[dearest] === 1) this.#settle(dearest, costs);
    else this.#move(dearest, cheapest);
    return true;
  }

  #move(from: number, to: number): void {
    this.#counts[from] = (this.#counts[from] as number) - 1;
    this.#counts[to] = (this.#counts[to] as number) + 1;
  }

  #isRepeated(): boolean {
    if (this.#counts.every((count, run) => count === this.#earlier[run]) && this.#steps > 0)
      return true;
    if (this.#steps === this.#untilEarlier) {
      this.#earlier = [...this.#counts];
      this.#untilEarlier *= 2;
    }
    this.#steps += 1;
    return false;
  }

  /** Fills up the runs beside one that cannot give, and lets them be. */
  #settle(pivot: number, costs: Float64Array): void {
    const byCost = [...costs.keys()].sort(
      (a, b) => (costs[b] as number) - (costs[a] as number) || a - b,
    );
    const first = Math.floor(byCost.indexOf(pivot) / this.together) * this.together;
    const slot = byCost.slice(first, first + this.together);
    for (const run of slot) {
      if (run !== pivot && !this.#frozen.has(run)) this.#fill(run, slot, costs[pivot] as number);
    }
    for (const run of slot) this.#frozen.add(run);
    // Frozen runs make a state that was met before another one.
    this.#earlier = [];
  }

  #fill(run: number, slot: readonly number[], most: number): void {
    for (;;) {
      let from = 0;
      for (let n = 0; n < run; n += 1) from += this.#counts[n] as number;
      const count = this.#counts[run] as number;
      if (paddedCost(count + 1, this.sorted[from] as number) > most) return;
      const costs = runCosts(this.sorted, this.#counts);
      const donor = indexOfMost(
        [...costs.keys()].filter(
          (n) => !this.#frozen.has(n) && !slot.includes(n) && (this.#counts[n] as number) > 1,
        ),
        (n) => -(costs[n] as number),
      );
      if (donor === undefined) return;
      this.#move(donor, run);
    }
  }
}

/** The first of the positions at which a value is largest. */
function indexOfMost(positions: readonly number[], of: (position: number) => number) {
  let best: number | undefined;
  for (const position of positions)
    if (best === undefined || of(position) > of(best)) best = position;
  return best;
}
