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

/** Samples in order of length, longest first, and what a run of them may hold. */
export interface Samples {
  readonly lengths: readonly number[];
  /** Memory of each. */
  readonly units: readonly number[];
  readonly capacity: number;
}

/**
 * How many samples each run gets, so that runs of samples in order of length cost about the same: the dearest gives one
 * to the cheapest that memory lets take it, again and again; the counts that spread least are kept. A run of one
 * sample cannot give: the `together` runs that it is among by cost are filled up to its cost, and take no further part.
 *
 * @param runs at least as many as {@link fewestRuns} says, and no more than samples
 */
export function balancedRuns(samples: Samples, runs: number, together: number): readonly number[] {
  const search = new RunSearch(samples, runs, together);
  const steps = Math.max(30 * runs, samples.lengths.length);
  for (let step = 0; step < steps && search.step(); step += 1);
  return search.best;
}

/** How many runs memory needs. */
export const fewestRuns = ({ units, capacity }: Samples): number =>
  filledRuns(units, capacity).length;

/** Counts of runs, each as full as `most` allows. */
function filledRuns(units: readonly number[], most: number): number[] {
  const counts: number[] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const own of units) {
    if (used + own > most) {
      counts.push(0);
      used = 0;
    }
    counts[counts.length - 1] = (counts.at(-1) as number) + 1;
    used += own;
  }
  return counts;
}

/** Equally many samples in each run; where memory forbids that, runs as filled as it allows, the longest of them halved. */
function startOf(samples: Samples, runs: number): number[] {
  const { units, capacity } = samples;
  const least = Math.floor(units.length / runs);
  const rest = units.length - least * runs;
  const equal = Array.from({ length: runs }, (_, run) => least + (run < rest ? 1 : 0));
  if (allHold(equal, samples)) return equal;
  const filled = filledRuns(units, capacity);
  while (filled.length < runs) {
    const at = filled.indexOf(Math.max(...filled));
    const half = (filled[at] as number) >> 1;
    filled.splice(at, 1, (filled[at] as number) - half, half);
  }
  return filled;
}

/** Whether memory has room for every run. */
export function allHold(counts: readonly number[], { units, capacity }: Samples): boolean {
  let at = 0;
  for (const count of counts) {
    let used = 0;
    for (const end = at + count; at < end; at += 1) used += units[at] as number;
    if (used > capacity) return false;
  }
  return true;
}

/** Runs that are looked at for one that memory lets take a sample. */
const MOST_TAKERS = 16;

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
    private readonly samples: Samples,
    runs: number,
    private readonly together: number,
  ) {
    this.#counts = startOf(samples, runs);
    this.best = [...this.#counts];
  }

  /** One move; whether there may be another. */
  step(): boolean {
    if (this.#isRepeated()) return false;
    const costs = runCosts(this.samples.lengths, this.#counts);
    const active = byCost(
      [...costs.keys()].filter((run) => !this.#frozen.has(run)),
      costs,
    );
    const [cheapest, dearest] = [active[0], active.at(-1)];
    if (active.length < 2 || dearest === undefined || cheapest === undefined) return false;
    const spread = (costs[dearest] as number) - (costs[cheapest] as number);
    if (spread < this.#leastSpread) {
      this.#leastSpread = spread;
      this.best = [...this.#counts];
    }
    if (spread === 0) return false;
    if (this.#counts[dearest] === 1) {
      this.#settle(dearest, costs);
      return true;
    }
    const takers = active.slice(0, Math.min(MOST_TAKERS, active.length - 1));
    return takers.some((run) => this.#move(dearest, run));
  }

  /** Whether memory allows it: the runs between the two move along by one sample. */
  #move(from: number, to: number): boolean {
    const counts = this.#counts;
    counts[from] = (counts[from] as number) - 1;
    counts[to] = (counts[to] as number) + 1;
    if (allHold(counts, this.samples)) return true;
    counts[from] = (counts[from] as number) + 1;
    counts[to] = (counts[to] as number) - 1;
    return false;
  }

  #isRepeated(): boolean {
    if (this.#steps > 0 && this.#counts.every((count, run) => count === this.#earlier[run]))
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
    const dearestFirst = byCost([...costs.keys()], costs).reverse();
    const first = Math.floor(dearestFirst.indexOf(pivot) / this.together) * this.together;
    const slot = dearestFirst.slice(first, first + this.together);
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
      if (paddedCost(count + 1, this.samples.lengths[from] as number) > most) return;
      const costs = runCosts(this.samples.lengths, this.#counts);
      const [donor] = byCost(
        [...costs.keys()].filter(
          (n) => !this.#frozen.has(n) && !slot.includes(n) && (this.#counts[n] as number) > 1,
        ),
        costs,
      );
      if (donor === undefined || !this.#move(donor, run)) return;
    }
  }
}

/** Runs by cost, the cheapest first, ties by position. */
const byCost = (runs: readonly number[], costs: Float64Array): number[] =>
  runs.toSorted((a, b) => (costs[a] as number) - (costs[b] as number) || a - b);
