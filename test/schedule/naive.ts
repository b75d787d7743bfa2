import type { Problem } from "../../src/schedule/problem.js";
import type { MicroBatch } from "../../src/schedule/schedule.js";

/** Iteration time straight from the contract's words, rank by rank, sharing nothing with the code under test. */
export function naiveIterationTime(microBatches: readonly MicroBatch[], problem: Problem): number {
  const { cost, context_parallel: n, data_parallel: dp, lengths } = problem;
  const rankTime = (rank: number, { placements }: MicroBatch): number => {
    const here = placements.filter((p) => rank >= p.first_rank && rank < p.first_rank + p.degree);
    const work = (p: (typeof here)[number]) => {
      const s = lengths[p.sequence] ?? 0;
      return (cost.a1 * s + cost.a2 * s * s) / p.degree + cost.a2 * cost.small_shard_tokens * s;
    };
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    const groups = new Set(here.filter((p) => p.degree > 1).map((p) => p.degree));
    const communication = [...groups].map((degree) => {
      const volume = total(
        here.filter((p) => p.degree === degree).map((p) => lengths[p.sequence] ?? 0),
      );
      const [c0, ca, cb] = cost.comm[degree] ?? [0, 0, 0];
      return Math.max(c0, ca + cb * volume);
    });
    const local = total(here.filter((p) => p.degree === 1).map(work));
    const sharded = total(here.filter((p) => p.degree > 1).map(work));
    return Math.max(total(communication), local) + sharded;
  };
  const time = (data: number, m: MicroBatch): number => {
    const ranks = Array.from({ length: n }, (_, r) => data * n + r);
    const used = m.placements.some((p) => Math.floor(p.first_rank / n) === data);
    const busy = ranks.map((rank) => rankTime(rank, m));
    return used ? Math.max(cost.least, ...busy) + cost.fixed : 0;
  };
  const data = Array.from({ length: dp }, (_, rank) => rank);
  if (problem.objective === "lockstep" || problem.degrees === "pool") {
    return microBatches.reduce((sum, m) => sum + Math.max(...data.map((rank) => time(rank, m))), 0);
  }
  return Math.max(...data.map((rank) => microBatches.reduce((sum, m) => sum + time(rank, m), 0)));
}
