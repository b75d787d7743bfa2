// A lower bound for class local-or-all that sees what one long local sequence costs its micro-batch.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../scripts/lib.mjs";

const { communicationOf, shardTokens, workOf } = await import(
  pathToFileURL(join(ROOT, "dist/schedule/time-and-memory.js")).href
);

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
export function waitingBound(problem) {
  const { lengths, bucket, data_parallel: rows, context_parallel: size, cost } = problem;
  if (lengths.length === 0) return 0;
  const [, intercept, slope] = cost.comm[size] ?? [0, 0, 0];
  const sharded = (length) =>
    workOf(length, size, problem) +
    slope * length +
    (intercept * memoryOf(length, problem)) / bucket;
  const wait = (length) =>
    Math.max(
      0,
      workOf(length, 1, problem) - communicationOf(size * (bucket - length), size, problem),
    );
  const long = lengths.filter((length) => 2 * length > bucket).sort((a, b) => b - a);
  const least = new Float64Array(long.length + 1);
  for (let at = long.length - 1; at >= 0; at -= 1) {
    const length = long[at];
    least[at] = sharded(length) + least[at + 1];
    if (length <= bucket)
      least[at] = Math.min(least[at], wait(length) + least[Math.min(long.length, at + size)]);
  }
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const microBatches = Math.max(1, Math.ceil(tokens / (bucket * size)) / rows);
  return least[0] / rows + cost.fixed * microBatches;
}

/** Tokens on each rank of the group. */
const memoryOf = (length, { padding, context_parallel: size }) =>
  padding === "zigzag" ? shardTokens(length, size) : length / size;
