import { Heap } from "../../foundation/heap.js";

/** Positions, joined so often that they are only listed at the end. */
type Members = number | readonly [Members, Members];

/** Values that are to be in one part. */
interface Part {
  readonly sum: number;
  readonly members: Members;
  /** Settles ties. */
  readonly first: number;
}

/** Parts that are to be different ones, largest sum first; as many empty ones as are missing are left out. */
interface State {
  readonly parts: readonly Part[];
  readonly spread: number;
  /** Settles ties. */
  readonly made: number;
}

/**
 * The largest differencing method for several parts (Karmarkar and Karp, 1982): of all states the two with the widest
 * spread become one, the largest part of either beside the smallest of the other, until one is left.
 *
 * @param values not negative
 * @param equalCounts whether parts get as many values each, or one less: neighbours by value then start in one state
 * @returns positions of the values of every part, ascending; parts without any are left out
 */
export function differencing(
  values: readonly number[],
  parts: number,
  equalCounts = false,
): readonly (readonly number[])[] {
  const heap = new Heap<State>(
    (a, b) => a.spread > b.spread || (a.spread === b.spread && a.made < b.made),
  );
  let made = 0;
  const add = (own: readonly Part[]) => {
    const sorted = own.toSorted((a, b) => b.sum - a.sum || a.first - b.first);
    const smallest = sorted.length < parts ? 0 : (sorted.at(-1)?.sum ?? 0);
    heap.push({ parts: sorted, spread: (sorted[0]?.sum ?? 0) - smallest, made });
    made += 1;
  };
  const order = [...values.keys()].sort(
    (a, b) => (values[b] as number) - (values[a] as number) || a - b,
  );
  const together = equalCounts ? parts : 1;
  for (let at = 0; at < order.length; at += together) {
    const own = order.slice(at, at + together);
    add(own.map((n) => ({ sum: values[n] as number, members: n, first: n })));
  }
  while (heap.size > 1) add(joined(heap.take() as State, heap.take() as State, parts));
  return (heap.take()?.parts ?? []).map(({ members }) => listed(members));
}

/** Largest beside smallest, empty parts being the smallest. */
function joined(one: State, other: State, parts: number): readonly Part[] {
  const shared = Math.max(0, one.parts.length + other.parts.length - parts);
  const own = one.parts.length - shared;
  const theirs = other.parts.length - shared;
  const pairs = Array.from({ length: shared }, (_, n): Part => {
    const a = one.parts[own + n] as Part;
    const b = other.parts[other.parts.length - 1 - n] as Part;
    const first = Math.min(a.first, b.first);
    return { sum: a.sum + b.sum, members: [a.members, b.members], first };
  });
  return [...one.parts.slice(0, own), ...other.parts.slice(0, theirs), ...pairs];
}

/** Ascending. Without recursion: members are as deep as there are values. */
function listed(members: Members): readonly number[] {
  const found: number[] = [];
  const open: Members[] = [members];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "number") found.push(next);
    else open.push(...next);
  }
  return found.sort((a, b) => a - b);
}
