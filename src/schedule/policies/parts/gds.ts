import { isAvailable } from "../../degrees.js";
import { Infeasible, type Problem } from "../../problem.js";
import type { Assignment, RankMicroBatch } from "../../schedule.js";
import { bucketUnits, shardUnits, workOf } from "../../time-and-memory.js";
import { type Distribution, distribute, placeDistribution, type RankRule } from "./distribute.js";
import { degreeUnavailable } from "./full-degree.js";

/**
 * The paper's GDS (arXiv:2505.19609 Algorithm 2): sequences over data-parallel ranks by work, longest first to the
 * least loaded; then, per rank, as few micro-batches as memory allows, each taking every m-th sequence in ascending
 * order so that long and short are paired.
 *
 * @param rule where whole sequences go
 * @throws Infeasible where it gives up, which it may although a schedule exists
 */
export function gds(rule: RankRule, problem: Problem): Assignment {
  return spreadByWork(problem).map((own, rank) => microBatchesOf(own, rank, rule, problem));
}

function spreadByWork(problem: Problem): readonly (readonly number[])[] {
  const { lengths, data_parallel: ranks } = problem;
  const order = [...lengths.keys()];
  order.sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b);
  const spread: number[][] = Array.from({ length: ranks }, () => []);
  const load = new Array<number>(ranks).fill(0);
  for (const sequence of order) {
    let least = 0;
    for (let rank = 1; rank < ranks; rank += 1)
      if ((load[rank] as number) < (load[least] as number)) least = rank;
    load[least] = (load[least] as number) + workOf(lengths[sequence] as number, 1, problem);
    spread[least]?.push(sequence);
  }
  return spread;
}

function microBatchesOf(
  own: readonly number[],
  rank: number,
  rule: RankRule,
  problem: Problem,
): readonly RankMicroBatch[] {
  if (own.length === 0) return [];
  const { lengths } = problem;
  const ascending = [...own].sort(
    (a, b) => (lengths[a] as number) - (lengths[b] as number) || a - b,
  );
  const fewest = Math.max(1, Math.ceil(unitsTogether(ascending, problem) / bucketUnits(problem)));
  const attempts = 2 * fewest + 16;
  for (let count = fewest; count < fewest + attempts; count += 1) {
    const found = interleave(ascending, count, rule, problem);
    if (found) return found.map((distribution) => placeDistribution(distribution, rank, problem));
  }
  throw gaveUp(attempts, problem);
}

/** Memory of sequences that are all sharded over the group, in units of one rank. */
function unitsTogether(sequences: readonly number[], problem: Problem): number {
  let units = 0;
  for (const sequence of sequences) {
    units += shardUnits(problem.lengths[sequence] as number, problem.context_parallel, problem);
  }
  return units;
}

/** `count` micro-batches, or `undefined` where one of them fails: the whole attempt is abandoned. */
function interleave(
  ascending: readonly number[],
  count: number,
  rule: RankRule,
  problem: Problem,
): readonly Distribution[] | undefined {
  const found: Distribution[] = [];
  for (let first = 0; first < count && first < ascending.length; first += 1) {
    const members: number[] = [];
    for (let n = first; n < ascending.length; n += count) members.push(ascending[n] as number);
    if (unitsTogether(members, problem) > bucketUnits(problem)) return undefined;
    const distribution = distribute(members, rule, problem);
    if (!distribution) return undefined;
    found.push(distribution);
  }
  return found;
}

function gaveUp(attempts: number, problem: Problem): Infeasible {
  const degree = problem.context_parallel;
  if (!isAvailable(degree, problem)) return degreeUnavailable(degree);
  return new Infeasible({
    code: "policy-gave-up",
    message: `${problem.policy} found no schedule in ${attempts} attempts; other policies may`,
  });
}
