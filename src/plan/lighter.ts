import type { Checkpointing } from "../cost/shape.js";
import { workloadOfRanks } from "../schedule/evaluate.js";
import type { Problem } from "../schedule/problem.js";
import type { MicroBatch, Placement, Schedule } from "../schedule/schedule.js";
import { shardTokens } from "../schedule/time-and-memory.js";
import type { Solved, Way } from "./performance.js";

/** A way to recompute less, for micro-batches that there is memory for. */
export interface LighterMode {
  readonly checkpointing: Checkpointing;
  /** The most that a rank may hold of a micro-batch that runs so. */
  readonly tokens: number;
  /** What such a micro-batch costs, where that is not what the scheduling problem says. */
  readonly cost: Pick<Problem["cost"], "a1" | "a2" | "comm">;
}

/** A solved problem with what its micro-batches recompute, where they may do otherwise than it says. */
export function withWays(
  schedule: Schedule,
  problem: Problem,
  lighter: readonly LighterMode[],
): Omit<Solved, "problem"> {
  if (lighter.length === 0) return { schedule };
  const heaviest: Way = { checkpointing: "full", workload: workloadOfRanks(problem) };
  const ways = lighter.map(({ checkpointing, tokens, cost }) => {
    const workload = workloadOfRanks({ ...problem, cost: { ...problem.cost, ...cost } });
    return { tokens, way: { checkpointing, workload } };
  });
  const wayOf = ({ placements }: MicroBatch): Way => {
    const fullest = fullestRank(placements, problem.lengths);
    return ways.find(({ tokens }) => fullest <= tokens)?.way ?? heaviest;
  };
  return { schedule, ways: schedule.micro_batches.map(wayOf) };
}

/** Tokens of the rank that has most in a micro-batch, padding included. The number changes only where groups begin and end. */
export function fullestRank(placements: readonly Placement[], lengths: readonly number[]): number {
  const edges = new Map<number, number>();
  const add = (rank: number, tokens: number) => edges.set(rank, (edges.get(rank) ?? 0) + tokens);
  for (const { sequence, first_rank: first, degree } of placements) {
    const tokens = shardTokens(lengths[sequence] as number, degree);
    add(first, tokens);
    add(first + degree, -tokens);
  }
  let held = 0;
  let most = 0;
  for (const [, change] of [...edges].sort(([a], [b]) => a - b)) {
    held += change;
    most = Math.max(most, held);
  }
  return most;
}
