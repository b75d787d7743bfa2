import type { Instance } from "./instance.js";
import type { MicroBatch, Placed, Placement } from "./placement.js";

/** us of the micro-batch on every data rank that has sequences in it; under `pool` the machine is data rank 0. */
export type MicroBatchTimes = ReadonlyMap<number, number>;

/** us of an iteration under the problem's objective (free: arXiv:2505.19609 Eq. 8). */
export function iterationTime(instance: Instance, placed: Placed): number {
  const times = placed.map((microBatch) => microBatchTimes(instance, microBatch));
  // A micro-batch of a pool is of the whole machine, so there both objectives are one.
  return instance.problem.objective === "free" ? slowestSum(times) : sumOfSlowest(times);
}

function slowestSum(times: readonly MicroBatchTimes[]): number {
  const sums = new Map<number, number>();
  for (const ofMicroBatch of times) {
    for (const [dataRank, time] of ofMicroBatch) sums.set(dataRank, (sums.get(dataRank) ?? 0) + time);
  }
  return largest(sums.values());
}

function sumOfSlowest(times: readonly MicroBatchTimes[]): number {
  let sum = 0;
  for (const ofMicroBatch of times) sum += largest(ofMicroBatch.values());
  return sum;
}

function largest(values: Iterable<number>): number {
  let result = 0;
  for (const value of values) if (value > result) result = value;
  return result;
}

/** us on one rank: what hides behind what is arXiv:2505.19609 Eq. 2. */
interface RankLoad {
  local: number;
  communication: number;
  sharded: number;
}

/** Time of a micro-batch on each data rank, the slowest of its ranks (arXiv:2505.19609 Eq. 1). */
export function microBatchTimes(instance: Instance, microBatch: MicroBatch): MicroBatchTimes {
  const { fixed } = instance.problem.cost;
  const times = new Map<number, number>();
  for (const [rank, load] of rankLoads(instance, microBatch)) {
    const hidden = load.communication > load.local ? load.communication : load.local;
    const time = hidden + load.sharded + fixed;
    const dataRank = scopeOf(instance, rank);
    const slowest = times.get(dataRank);
    if (slowest === undefined || time > slowest) times.set(dataRank, time);
  }
  return times;
}

function scopeOf(instance: Instance, rank: number): number {
  return instance.problem.degrees === "pool" ? 0 : Math.floor(rank / instance.contextParallel);
}

function rankLoads(instance: Instance, microBatch: MicroBatch): ReadonlyMap<number, RankLoad> {
  const loads = new Map<number, RankLoad>();
  const loadOf = (rank: number): RankLoad => {
    const known = loads.get(rank);
    if (known !== undefined) return known;
    const load = { local: 0, communication: 0, sharded: 0 };
    loads.set(rank, load);
    return load;
  };
  for (const { sequence, first_rank: rank, degree } of microBatch) {
    if (degree === 1) loadOf(rank).local += instance.rankWork(sequence, 1);
  }
  for (const group of shardedGroups(instance, microBatch)) {
    const communication = instance.communication(group.degree, group.volume);
    for (let rank = group.firstRank; rank < group.firstRank + group.degree; rank += 1) {
      const load = loadOf(rank);
      load.communication += communication;
      load.sharded += group.work;
    }
  }
  return loads;
}

interface ShardedGroup {
  readonly degree: number;
  readonly firstRank: number;
  /** Tokens, unpadded. */
  volume: number;
  /** us on each of its ranks. */
  work: number;
}

/** By ascending degree: a rank sums over its groups, and the order of a sum is part of its value. */
function shardedGroups(instance: Instance, microBatch: MicroBatch): readonly ShardedGroup[] {
  const groups = new Map<number, ShardedGroup>();
  for (const placement of microBatch) {
    if (placement.degree === 1) continue;
    const group = groupOf(instance, groups, placement);
    group.volume += instance.length(placement.sequence);
    group.work += instance.rankWork(placement.sequence, placement.degree);
  }
  return [...groups.values()].sort((a, b) => a.degree - b.degree);
}

function groupOf(
  instance: Instance,
  groups: Map<number, ShardedGroup>,
  { degree, first_rank: firstRank }: Placement,
): ShardedGroup {
  const key = degree * instance.ranks + firstRank;
  const known = groups.get(key);
  if (known !== undefined) return known;
  const group = { degree, firstRank, volume: 0, work: 0 };
  groups.set(key, group);
  return group;
}
