import { microBatchTime } from "./time-and-memory.js";
import { type Level, levelCommunication, type Workload } from "./workload.js";

/** Of so many of the longest sequences, every two are looked at. */
const LONGEST = 6;

/**
 * A time, us, that no schedule can beat in which a micro-batch waits for its slowest rank wherever that is: two long
 * sequences run in two micro-batches, or side by side, or on common ranks, which then have the work of both.
 *
 * @param workload whose cells span all ranks
 */
export function pairBound(workload: Workload): number {
  const { order } = workload;
  let bound = 0;
  for (let a = 0; a < Math.min(LONGEST, order.length); a += 1) {
    for (let b = a + 1; b < Math.min(LONGEST, order.length); b += 1) {
      const time = fastestOfTwo(order[a] as number, order[b] as number, workload);
      if (time > bound) bound = time;
    }
  }
  return bound;
}

/** What two sequences take at least, at their best degrees; 0 where one of them fits nowhere. */
function fastestOfTwo(first: number, second: number, workload: Workload): number {
  let best = Number.POSITIVE_INFINITY;
  for (const a of fitting(first, workload)) {
    for (const b of fitting(second, workload)) {
      best = Math.min(
        best,
        apart(first, a, second, b, workload),
        together(first, a, second, b, workload),
      );
    }
  }
  return best < Number.POSITIVE_INFINITY ? best : 0;
}

const fitting = (sequence: number, { levels, capacity }: Workload): readonly Level[] =>
  levels.filter(({ units }) => (units[sequence] as number) <= capacity);

/** In two micro-batches, or in one without a common rank. */
function apart(first: number, a: Level, second: number, b: Level, workload: Workload): number {
  const { problem, size } = workload;
  const times = [alone(first, a, workload), alone(second, b, workload)] as const;
  const oneByOne = microBatchTime(times[0], problem) + microBatchTime(times[1], problem);
  if (a.degree + b.degree > size) return oneByOne;
  return Math.min(oneByOne, microBatchTime(Math.max(...times), problem));
}

function alone(sequence: number, level: Level, { problem }: Workload): number {
  const length = problem.lengths[sequence] as number;
  return (level.work[sequence] as number) + levelCommunication(level, length);
}

/** In one micro-batch with a common rank, other sequences aside; infinite where it has no room for both. */
function together(first: number, a: Level, second: number, b: Level, workload: Workload): number {
  const { problem, capacity } = workload;
  const units = (a.units[first] as number) + (b.units[second] as number);
  if (units > capacity) return Number.POSITIVE_INFINITY;
  const work = (level: Level, sequence: number, local: boolean) =>
    (level.degree === 1) === local ? (level.work[sequence] as number) : 0;
  const local = work(a, first, true) + work(b, second, true);
  const sharded = work(a, first, false) + work(b, second, false);
  const [own, other] = [problem.lengths[first] as number, problem.lengths[second] as number];
  const communication =
    a === b
      ? levelCommunication(a, own + other)
      : levelCommunication(a, own) + levelCommunication(b, other);
  return microBatchTime(Math.max(communication, local) + sharded, problem);
}
