import { iterationTime } from "../evaluate.js";
import { allSharded, fullDegree } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import { type Assignment, toMicroBatches } from "../schedule.js";
import { bucketUnits, shardUnits } from "../time-and-memory.js";
import { longestFirst } from "../workload.js";
import { more } from "./more.js";
import { allHold, balancedRuns, fewestRuns, runCosts, runsOf, type Samples } from "./runs.js";

/**
 * `train_sampling_strategy="batch_rebalance"` of transformers 5 (`BatchRebalanceSampler`), of our own reading: the batch
 * in order of length, cut into as many runs as there are micro-batches, all of about the same padded cost; the
 * dearest are dealt to the data-parallel ranks first.
 *
 * Its number of micro-batches is the user's, and so is memory: here it is the best of several numbers, from the fewest
 * that memory allows to eight times as many, and no run is let grow beyond memory. It knows no context parallelism: what
 * is a device there is a context-parallel group here, which shares every sequence. It pads, and the contract's cost
 * does not. All that flatters it.
 *
 * @throws Infeasible
 */
export function batchRebalance(problem: Problem): Assignment {
  const { lengths, data_parallel: ranks } = problem;
  const degree = fullDegree(problem);
  const order = longestFirst(lengths);
  const sorted = order.map((sequence) => lengths[sequence] as number);
  const units = sorted.map((length) => shardUnits(length, degree, problem));
  const samples = { lengths: sorted, units, capacity: bucketUnits(problem) };
  const fewest = Math.max(1, Math.ceil(fewestRuns(samples) / ranks));
  let best: Assignment = [];
  let least = Number.POSITIVE_INFINITY;
  for (let count = fewest; count <= MOST_TIMES * fewest; count = more(count)) {
    const counts = runsWithin(samples, Math.min(count * ranks, order.length), ranks);
    const dealt = dealtByCost(runsOf(order, counts), runCosts(sorted, counts), ranks);
    const assignment = allSharded(dealt, problem);
    const time = iterationTime(toMicroBatches(assignment), problem);
    if (time >= least) continue;
    [best, least] = [assignment, time];
  }
  return best;
}

/** How many times as many micro-batches as memory needs are tried. */
const MOST_TIMES = 8;

/** As the original has them where these fit; else those that fit all along the way. */
function runsWithin(samples: Samples, runs: number, together: number): readonly number[] {
  const free = balancedRuns({ ...samples, capacity: Number.POSITIVE_INFINITY }, runs, together);
  return allHold(free, samples) ? free : balancedRuns(samples, runs, together);
}

function dealtByCost(
  runs: readonly (readonly number[])[],
  costs: Float64Array,
  ranks: number,
): readonly (readonly (readonly number[])[])[] {
  const dearest = [...runs.keys()].sort(
    (a, b) => (costs[b] as number) - (costs[a] as number) || a - b,
  );
  return Array.from({ length: ranks }, (_, rank) =>
    dearest.filter((_run, at) => at % ranks === rank).map((run) => runs[run] as readonly number[]),
  );
}
