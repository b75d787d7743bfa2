import { allSharded, fullDegree } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { bucketUnits, shardUnits, workOf } from "../time-and-memory.js";
import { longestFirst } from "../workload.js";
import { more } from "./more.js";

/**
 * WLB-LLM's greedy packing (arXiv:2503.17924, Algorithm 1), of our own reading: longest first, to the micro-batch with
 * the least work; where that is full, to the one with the fewest tokens. Every sequence is sharded over the
 * context-parallel group.
 *
 * A document that fits neither waits there for the next batch, and very long ones wait in queues until there are
 * enough of them. A batch is fixed here, so that nothing can wait: there are more micro-batches instead. The heaviest
 * are dealt to the data-parallel ranks first.
 *
 * @throws Infeasible
 */
export function wlb(problem: Problem): Assignment {
  const { lengths, data_parallel: ranks } = problem;
  const degree = fullDegree(problem);
  const items = longestFirst(lengths).map((sequence) => ({
    sequence,
    work: workOf(lengths[sequence] as number, 1, problem),
    units: shardUnits(lengths[sequence] as number, degree, problem),
  }));
  const capacity = bucketUnits(problem);
  let units = 0;
  for (const item of items) units += item.units;
  let count = Math.max(1, Math.ceil(units / capacity / ranks));
  for (;;) {
    const packed = pack(items, count * ranks, capacity);
    if (packed) {
      const rows = Array.from({ length: ranks }, (_, rank) =>
        packed.filter((_own, at) => at % ranks === rank),
      );
      return allSharded(rows, problem);
    }
    count = more(count);
  }
}

interface Item {
  readonly sequence: number;
  /** us on one rank */
  readonly work: number;
  /** Memory on each rank, in the units of `shardUnits`. */
  readonly units: number;
}

/** Micro-batches with sequences, the heaviest first; `undefined` where a sequence fits neither of its two. */
function pack(
  items: readonly Item[],
  count: number,
  capacity: number,
): readonly (readonly number[])[] | undefined {
  const load = new Float64Array(count);
  const room = new Float64Array(count).fill(capacity);
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const { sequence, work, units } of items) {
    const lightest = indexOfLeast(load, 1);
    const emptiest = indexOfLeast(room, -1);
    const bin = (room[lightest] as number) >= units ? lightest : emptiest;
    if ((room[bin] as number) < units) return undefined;
    load[bin] = (load[bin] as number) + work;
    room[bin] = (room[bin] as number) - units;
    members[bin]?.push(sequence);
  }
  return [...members.keys()]
    .sort((a, b) => (load[b] as number) - (load[a] as number) || a - b)
    .map((bin) => members[bin] as number[])
    .filter((own) => own.length > 0);
}

/** The position of the least value times `sign`, the earliest of equals. */
function indexOfLeast(values: Float64Array, sign: 1 | -1): number {
  let best = 0;
  for (let n = 1; n < values.length; n += 1)
    if (sign * (values[n] as number) < sign * (values[best] as number)) best = n;
  return best;
}
