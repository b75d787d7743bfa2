/** Bins, as parallel arrays of load and room; `put` and `improveBySwaps` change them in place. */
export interface Bins {
  readonly load: Float64Array;
  readonly room: Float64Array;
}

/** Empty bins of equal room. */
export function emptyBins(count: number, room: number): Bins {
  return { load: new Float64Array(count), room: new Float64Array(count).fill(room) };
}

/** The least loaded bin, the earliest of equals, that has room for `units`; -1 where none has. */
export function leastLoaded({ load, room }: Bins, count: number, units: number): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let bin = 0; bin < count; bin += 1) {
    const own = load[bin] as number;
    if (own < least && (room[bin] as number) >= units) {
      best = bin;
      least = own;
    }
  }
  return best;
}

/** Adds to a bin's load and takes from its room. */
export function put({ load, room }: Bins, bin: number, work: number, units: number): void {
  load[bin] = (load[bin] as number) + work;
  room[bin] = (room[bin] as number) - units;
}
