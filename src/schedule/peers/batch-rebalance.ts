import { allSharded, fullDegree } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { bucketUnits, shardUnits } from "../time-and-memory.js";
import { longestFirst } from "../workload.js";
import { balancedRuns, fewestRuns, runCosts, runsOf } from "./runs.js";

/**
 * `train_sampling_strategy="batch_rebalance"` of transformers 5 (`BatchRebalanceSampler`), of our own reading: the batch
 * in order of length, cut into as many runs as there are micro-batches, all of about the same padded cost; the
 * dearest are dealt to the data-parallel ranks first.
 *
 * Its number of micro-batches is the user's, and so is memory; here it is the fewest that memory allows, and no run is
 * let grow beyond that. It knows no context
 * parallelism: what is a device there is a context-parallel group here, which shares every sequence. It pads, and the
 * contract's cost does not: that flatters it.
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
  const count = Math.ceil(fewestRuns(samples) / ranks);
  const counts = balancedRuns(samples, Math.min(count * ranks, order.length), ranks);
  const costs = runCosts(sorted, counts);
  return allSharded(dealtByCost(runsOf(order, counts), costs, ranks), problem);
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
