import { workloadOfRanks } from "../evaluate.js";
import { unplaceable } from "../policies/parts/full-degree.js";
import type { Problem } from "../problem.js";
import type { Assignment, RankMicroBatch } from "../schedule.js";
import type { Workload } from "../workload.js";

/** How much more than the most that sequences no longer than the longest can come to a rank may get; Megatron's own. */
const SLACK = 1.05;

/** Ranks that share sequences. */
interface Group {
  readonly level: number;
  readonly members: readonly number[];
  /** `sum of S^2 / d` */
  readonly load: number;
  readonly units: number;
}

/**
 * Megatron Core's dynamic ("hybrid") context parallelism (`next_hdp_group_packing_aware` in
 * `megatron/core/datasets/data_schedule_utils.py`), of our own reading. Micro-batch by micro-batch over all ranks: the
 * longest sequence left gets the smallest group that holds it; every other, longest first, the group at least as large
 * as it needs, there or new, which leaves the slowest rank fastest, within what that longest sequence allows a rank.
 * What fits nowhere is left to the next one. Then groups are widened, the smallest first, until no rank is idle.
 *
 * It counts attention alone, `S^2 / d`. Groups are those of the problem's class. Where widening cannot reach the last
 * ranks, Megatron gives the micro-batch up for one group of all ranks; here these ranks stay idle.
 *
 * @throws Infeasible where a sequence fits no group whose cost is known
 */
export function megatronHybrid(problem: Problem): Assignment {
  const workload = workloadOfRanks(problem);
  const microBatches: RankMicroBatch[] = [];
  let left: readonly number[] = workload.order;
  while (left.length > 0) {
    const groups = new MicroBatchGroups(workload, smallestLevel(left[0] as number, workload));
    left = left.filter((sequence) => !groups.take(sequence, smallestLevel(sequence, workload)));
    groups.widen();
    microBatches.push(groups.placements());
  }
  // A placement says its rank by itself: all stand under the first.
  return [microBatches];
}

function smallestLevel(sequence: number, { levels, capacity, problem }: Workload): number {
  const level = levels.findIndex(({ units }) => (units[sequence] as number) <= capacity);
  if (level < 0) throw unplaceable(sequence, problem);
  return level;
}

class MicroBatchGroups {
  #groups: Group[] = [];
  #idle: number;
  #slowest = 0;
  #most: number | undefined;

  constructor(
    private readonly workload: Workload,
    private readonly first: number,
  ) {
    this.#idle = workload.size * workload.rows;
  }

  /** Whether it found a place; the first sequence always does. */
  take(sequence: number, smallest: number): boolean {
    const length = this.#lengthOf(sequence);
    if (this.#most === undefined) {
      this.#most = length * this.workload.problem.bucket * SLACK;
      this.#open(sequence, this.first);
      return true;
    }
    let best: { readonly slowest: number; readonly level: number; readonly group?: number } = {
      slowest: Number.POSITIVE_INFINITY,
      level: -1,
    };
    for (let level = smallest; level < this.workload.levels.length; level += 1) {
      for (const { slowest, ...place } of this.#places(sequence, level))
        if (slowest <= this.#most && slowest < best.slowest) best = { slowest, level, ...place };
    }
    if (best.level < 0) return false;
    if (best.group === undefined) this.#open(sequence, best.level);
    else this.#groups[best.group] = this.#with(sequence, this.#groups[best.group] as Group);
    this.#slowest = best.slowest;
    return true;
  }

  /** Doubles the smallest groups, in the order in which they were made, as long as idle ranks allow. */
  widen(): void {
    const { levels } = this.workload;
    while (this.#idle > 0) {
      const smallest = Math.min(...this.#groups.map(({ level }) => level));
      const wider = levels[smallest + 1];
      const more = wider && wider.degree - this.#degreeOf(smallest);
      const at = this.#groups.findIndex(({ level }) => level === smallest);
      const group = this.#groups[at] as Group;
      if (more === undefined || more > this.#idle || !this.#fits(group, smallest + 1)) return;
      this.#idle -= more;
      this.#groups[at] = this.#remade(group, smallest + 1);
    }
  }

  /** Widest groups first, side by side: these are aligned, since every degree divides the next. */
  placements(): RankMicroBatch {
    const widestFirst = this.#groups.toSorted((a, b) => b.level - a.level);
    let from = 0;
    const placed = widestFirst.flatMap(({ level, members }) => {
      const [first_rank, degree] = [from, this.#degreeOf(level)];
      from += degree;
      return members.map((sequence) => ({ sequence, first_rank, degree }));
    });
    return placed.sort((a, b) => a.sequence - b.sequence);
  }

  /** Where a sequence could go at a level, with the load of the slowest rank then. */
  *#places(sequence: number, level: number) {
    const { capacity } = this.workload;
    const load = this.#loadOf(sequence, level);
    const units = this.#unitsOf(sequence, level);
    for (const [group, own] of this.#groups.entries()) {
      if (own.level !== level || own.units + units > capacity) continue;
      yield { slowest: Math.max(this.#slowest, own.load + load), group };
    }
    if (this.#degreeOf(level) <= this.#idle) yield { slowest: Math.max(this.#slowest, load) };
  }

  #open(sequence: number, level: number): void {
    this.#groups.push(this.#with(sequence, { level, members: [], load: 0, units: 0 }));
    this.#idle -= this.#degreeOf(level);
    this.#slowest = Math.max(this.#slowest, this.#loadOf(sequence, level));
  }

  #with(sequence: number, { level, members, load, units }: Group): Group {
    return {
      level,
      members: [...members, sequence],
      load: load + this.#loadOf(sequence, level),
      units: units + this.#unitsOf(sequence, level),
    };
  }

  #remade({ members }: Group, level: number): Group {
    let group: Group = { level, members: [], load: 0, units: 0 };
    for (const sequence of members) group = this.#with(sequence, group);
    return group;
  }

  /** Padding of small shards may make a wider group need more memory. */
  #fits(group: Group, level: number): boolean {
    return this.#remade(group, level).units <= this.workload.capacity;
  }

  #degreeOf(level: number): number {
    return this.workload.levels[level]?.degree ?? 1;
  }

  #lengthOf(sequence: number): number {
    return this.workload.problem.lengths[sequence] as number;
  }

  #loadOf(sequence: number, level: number): number {
    const length = this.#lengthOf(sequence);
    return (length * length) / this.#degreeOf(level);
  }

  #unitsOf(sequence: number, level: number): number {
    return this.workload.levels[level]?.units[sequence] as number;
  }
}
