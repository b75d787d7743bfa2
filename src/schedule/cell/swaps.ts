import { type Bins, put } from "./bins.js";

/** What may be moved between bins: item k has `work[k]` and `units[k]` and is in bin `binOf[k]`; longest first. */
export interface Items {
  readonly count: number;
  readonly work: Float64Array;
  readonly units: Float64Array;
  /** -1 for an item that stays out of this. */
  readonly binOf: Int32Array;
}

interface Exchange {
  /** From the heaviest bin. */
  readonly given: number;
  /** From the lightest; -1 where nothing comes back. */
  readonly taken: number;
}

/**
 * Evens out loads: as long as it helps, gives an item of the heaviest bin to the lightest, for one in return or for
 * none, choosing the pair whose difference is nearest to half of theirs. A bin's time is its load, but never less
 * than its floor.
 *
 * @param floor time that a bin takes whatever its load
 * @param rounds most exchanges
 */
export function improveBySwaps(
  items: Items,
  bins: Bins,
  floor: Float64Array,
  count: number,
  rounds: number,
): void {
  for (let round = 0; round < rounds; round += 1) {
    const heavy = heaviest(bins, floor, count);
    const light = lightest(bins, count);
    if (heavy < 0 || heavy === light) return;
    const exchange = bestExchange(items, bins, heavy, light);
    if (!exchange) return;
    move(exchange.given, light, items, bins);
    if (exchange.taken >= 0) move(exchange.taken, heavy, items, bins);
  }
}

/** The bin that takes longest; -1 where its floor says so, which no exchange lowers. */
function heaviest({ load }: Bins, floor: Float64Array, count: number): number {
  let best = -1;
  let longest = 0;
  for (let bin = 0; bin < count; bin += 1) {
    const own = load[bin] as number;
    const least = floor[bin] as number;
    if (Math.max(own, least) > longest) {
      longest = Math.max(own, least);
      best = own > least ? bin : -1;
    }
  }
  return best;
}

function lightest({ load }: Bins, count: number): number {
  let best = 0;
  for (let bin = 1; bin < count; bin += 1) {
    if ((load[bin] as number) < (load[best] as number)) best = bin;
  }
  return best;
}

function move(item: number, bin: number, { work, units, binOf }: Items, bins: Bins): void {
  put(bins, binOf[item] as number, -(work[item] as number), -(units[item] as number));
  put(bins, bin, work[item] as number, units[item] as number);
  binOf[item] = bin;
}

function bestExchange(
  { count, work, units, binOf }: Items,
  { load, room }: Bins,
  heavy: number,
  light: number,
): Exchange | undefined {
  const gap = (load[heavy] as number) - (load[light] as number);
  const free = room[light] as number;
  const offers: number[] = [];
  for (let item = 0; item < count; item += 1) if (binOf[item] === light) offers.push(item);
  offers.push(-1);
  let best: Exchange | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  let at = 0;
  const consider = (given: number, taken: number) => {
    const difference = (work[given] as number) - (taken < 0 ? 0 : (work[taken] as number));
    if (!(difference > 0 && difference < gap)) return;
    const more = (units[given] as number) - (taken < 0 ? 0 : (units[taken] as number));
    const distance = Math.abs(difference - gap / 2);
    if (more > free || distance >= nearest) return;
    nearest = distance;
    best = { given, taken };
  };
  for (let given = 0; given < count; given += 1) {
    if (binOf[given] !== heavy) continue;
    const wanted = (work[given] as number) - gap / 2;
    // Offers come longest first: step to the first that is no larger than wanted, and look at both sides of it.
    while (at < offers.length - 1 && (work[offers[at] as number] as number) > wanted) at += 1;
    consider(given, offers[at] as number);
    if (at > 0) consider(given, offers[at - 1] as number);
  }
  return best;
}
