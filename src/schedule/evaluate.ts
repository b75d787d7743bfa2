import { microBatchTime } from "./cost.js";
import { rankCount } from "./degrees.js";
import type { Problem } from "./problem.js";
import type { MicroBatch, Placement } from "./schedule.js";

/** Time of a whole schedule under the problem's objective, us. */
export function iterationTime(microBatches: readonly MicroBatch[], problem: Problem): number {
  // With groups over all ranks, a micro-batch is of the whole machine: free and lockstep are one.
  if (problem.degrees === "pool") return sumOver(microBatches, (m) => wholeMachineTime(m, problem));
  const times = microBatches.map((m) => rankTimes(m, problem));
  return problem.objective === "lockstep"
    ? lockstepTime(times)
    : freeTime(times, problem.data_parallel);
}

/** Time of each data-parallel rank in one micro-batch, us. */
export function rankTimes({ placements }: MicroBatch, problem: Problem): readonly number[] {
  const { data_parallel: ranks, context_parallel: context } = problem;
  const byRank: Placement[][] = Array.from({ length: ranks }, () => []);
  for (const placement of placements) {
    byRank[Math.floor(placement.first_rank / context)]?.push(placement);
  }
  return byRank.map((own, rank) => microBatchTime(own, rank * context, context, problem));
}

function wholeMachineTime({ placements }: MicroBatch, problem: Problem): number {
  return microBatchTime(placements, 0, rankCount(problem), problem);
}

function lockstepTime(times: readonly (readonly number[])[]): number {
  return sumOver(times, (ranks) => {
    let slowest = 0;
    for (const time of ranks) if (time > slowest) slowest = time;
    return slowest;
  });
}

function freeTime(times: readonly (readonly number[])[], ranks: number): number {
  let slowest = 0;
  for (let rank = 0; rank < ranks; rank += 1) {
    const total = sumOver(times, (ranksAt) => ranksAt[rank] ?? 0);
    if (total > slowest) slowest = total;
  }
  return slowest;
}

function sumOver<T>(items: readonly T[], value: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}
