import type { Problem } from "./problem.js";
import { communicationOf, shardTokens, workOf } from "./time-and-memory.js";

/**
 * A time, us, that no schedule of class `local-or-all` beats, free or in lockstep.
 *
 * In a micro-batch on one data-parallel rank whose longest local sequence has l tokens, that sequence's rank has room for
 * C - l tokens of what is sharded. So at most N (C - l) tokens are, and their communication is at most K(l): local work
 * w(l) above that holds everybody up. Hence `max(communication, local) >= communication + max(0, w(l) - K(l))`, and a
 * schedule takes at least what its sharded sequences take, communication included, and one such wait for every
 * micro-batch. Of sequences longer than C / 2, no two share a rank: a wait covers at most N of them. Wait and sharded
 * cost both grow with the length, so that covering the next N in order of length is best: dynamic programming finds the
 * least. Shorter ones are let off.
 */
export function waitingBound(problem: Problem): number {
  const { lengths, bucket, data_parallel: rows, context_parallel: size, cost } = problem;
  if (lengths.length === 0) return 0;
  const long = lengths.filter((length) => 2 * length > bucket).sort((a, b) => b - a);
  const least = new Float64Array(long.length + 1);
  for (let at = long.length - 1; at >= 0; at -= 1) {
    const length = long[at] as number;
    const shared = shardedCost(length, problem) + (least[at + 1] as number);
    const next = Math.min(long.length, at + size);
    const local =
      length <= bucket
        ? waitFor(length, problem) + (least[next] as number)
        : Number.POSITIVE_INFINITY;
    least[at] = Math.min(shared, local);
  }
  let tokens = 0;
  for (const length of lengths) tokens += length;
  const microBatches = Math.max(1, Math.ceil(tokens / (bucket * size)) / rows);
  return (least[0] as number) / rows + cost.fixed * microBatches;
}

/** What a sharded sequence adds to its micro-batch, us: a group's start-up is shared by no more sequences than fit it. */
function shardedCost(length: number, problem: Problem): number {
  const { bucket, context_parallel: size, padding, cost } = problem;
  const [, intercept, slope] = cost.comm[size] ?? [0, 0, 0];
  const tokens = padding === "zigzag" ? shardTokens(length, size) : length / size;
  return workOf(length, size, problem) + slope * length + (intercept * tokens) / bucket;
}

/** How long the others wait for a local sequence at least, us. */
function waitFor(length: number, problem: Problem): number {
  const { bucket, context_parallel: size } = problem;
  const hidden = communicationOf(size * (bucket - length), size, problem);
  return Math.max(0, workOf(length, 1, problem) - hidden);
}
