import { allSharded, fullDegree } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import type { Assignment } from "../schedule.js";
import { bucketUnits, shardUnits } from "../time-and-memory.js";
import { longestFirst } from "../workload.js";
import { more } from "./more.js";
import { balancedRuns, runCosts, runsOf } from "./runs.js";

/**
 * `train_sampling_strategy="batch_rebalance"` of transformers 5 (`BatchRebalanceSampler`), of our own reading: the batch
 * in order of length, cut into as many runs as there are micro-batches, all of about the same padded cost; the
 * dearest are dealt to the data-parallel ranks first.
 *
 * Its number of micro-batches is the user's; here it is the fewest that memory allows. It knows no context
 * parallelism: what is a device there is a context-parallel group here, which shares every sequence. It pads, and the
 * contract's cost does not: that flatters it.
 *
 * @throws Infeasible
 */
export function batchRebalance(problem: Problem): Assignment {
  const { lengths, data_parallel: ranks } = problem;
  const degree = fullDegree(problem);
  const capacity = bucketUnits(problem);
  const order = longestFirst(lengths);
  const sorted = order.map((sequence) => lengths[sequence] as number);
  const units = sorted.map((length) => shardUnits(length, degree, problem));
  let count = Math.max(1, Math.ceil(sumOf(units) / capacity / ranks));
  for (;;) {
    const groups = Math.min(count * ranks, order.length);
    const counts = balancedRuns(sorted, groups, ranks);
    if (runsOf(units, counts).every((run) => sumOf(run) <= capacity)) {
      const runs = runsOf(order, counts);
      const costs = runCosts(sorted, counts);
      return allSharded(dealtByCost(runs, costs, ranks), problem);
    }
    count = more(count);
  }
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

function sumOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
