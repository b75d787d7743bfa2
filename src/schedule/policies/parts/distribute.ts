import { isAvailable } from "../../degrees.js";
import type { Problem } from "../../problem.js";
import type { RankMicroBatch } from "../../schedule.js";
import { bucketUnits, shardUnits, workOf } from "../../time-and-memory.js";

/** Where a micro-batch's sequences go: a rank of the group, or `undefined` for all of them. */
export type Distribution = ReadonlyMap<number, number | undefined>;

/**
 * Which rank a sequence goes to whole: the least loaded, else the one with most room (arXiv:2505.19609 Algorithm 1);
 * or the next in turn (Algorithm 4).
 */
export type RankRule = "least-loaded" | "in-turn";

/**
 * One micro-batch on the ranks of a context-parallel group. Shortest first: whole on the rank of the rule; without
 * room there, sharded over all. Where the fullest rank has no room for the shard, its shortest local sequence is
 * sharded too (roll-back), and so on.
 * Roll-back overdraws other ranks for a moment, so memory is judged at the end, not on the way.
 *
 * @param ascending sequences by length, ties by index
 * @returns `undefined` where it fails
 */
export function distribute(
  ascending: readonly number[],
  rule: RankRule,
  problem: Problem,
): Distribution | undefined {
  const group = new Group(problem, rule, ascending.length);
  for (const sequence of ascending) {
    if (!group.placeWhole(sequence) && !group.shardWithRollBack(sequence)) return undefined;
  }
  return group.fitsInMemory() ? group.distribution : undefined;
}

/** A distribution as placements on a data-parallel rank. */
export function placeDistribution(
  distribution: Distribution,
  rank: number,
  problem: Problem,
): RankMicroBatch {
  const context = problem.context_parallel;
  const placements = [...distribution].map(([sequence, local]) => ({
    sequence,
    first_rank: rank * context + (local ?? 0),
    degree: local === undefined ? context : 1,
  }));
  return placements.sort((a, b) => a.sequence - b.sequence);
}

class Group {
  readonly distribution = new Map<number, number | undefined>();
  readonly #room: number[];
  readonly #load: number[];
  /** Local sequences of each rank, in the order placed: shortest first. */
  readonly #locals: number[][];
  readonly #degree: number;
  /** Ranks that are told apart. */
  readonly #ranks: number;
  #turn = 0;

  constructor(
    private readonly problem: Problem,
    private readonly rule: RankRule,
    sequences: number,
  ) {
    this.#degree = problem.context_parallel;
    // Ranks beyond one for every sequence stay as empty as one more.
    this.#ranks = Math.min(this.#degree, sequences + 1);
    this.#room = new Array<number>(this.#ranks).fill(bucketUnits(problem));
    this.#load = new Array<number>(this.#ranks).fill(0);
    this.#locals = Array.from({ length: this.#ranks }, () => []);
  }

  placeWhole(sequence: number): boolean {
    const units = this.#units(sequence, 1);
    const rank = this.#rankFor(units);
    if (units > (this.#room[rank] as number)) return false;
    this.#room[rank] = (this.#room[rank] as number) - units;
    this.#load[rank] = (this.#load[rank] as number) + this.#work(sequence);
    this.#locals[rank]?.push(sequence);
    this.distribution.set(sequence, rank);
    return true;
  }

  #rankFor(units: number): number {
    if (this.rule === "in-turn") {
      const rank = this.#turn;
      this.#turn = (rank + 1) % this.#degree;
      return rank;
    }
    const least = indexOfMin(this.#load);
    return units <= (this.#room[least] as number) ? least : indexOfMax(this.#room);
  }

  shardWithRollBack(sequence: number): boolean {
    if (this.#degree === 1 || !isAvailable(this.#degree, this.problem)) return false;
    const units = this.#units(sequence, this.#degree);
    for (;;) {
      const fullest = indexOfMin(this.#room);
      if (units <= (this.#room[fullest] as number)) break;
      if (!this.#rollBack(fullest)) return false;
    }
    this.#shard(sequence);
    return true;
  }

  fitsInMemory(): boolean {
    return this.#room.every((room) => room >= 0);
  }

  #rollBack(rank: number): boolean {
    const shortest = this.#locals[rank]?.shift();
    if (shortest === undefined) return false;
    this.#room[rank] = (this.#room[rank] as number) + this.#units(shortest, 1);
    this.#load[rank] = (this.#load[rank] as number) - this.#work(shortest);
    this.#shard(shortest);
    return true;
  }

  #shard(sequence: number): void {
    const units = this.#units(sequence, this.#degree);
    for (let rank = 0; rank < this.#ranks; rank += 1) {
      this.#room[rank] = (this.#room[rank] as number) - units;
    }
    this.distribution.set(sequence, undefined);
  }

  #units(sequence: number, degree: number): number {
    return shardUnits(this.problem.lengths[sequence] as number, degree, this.problem);
  }

  #work(sequence: number): number {
    return workOf(this.problem.lengths[sequence] as number, 1, this.problem);
  }
}

function indexOfMin(values: readonly number[]): number {
  let best = 0;
  for (let n = 1; n < values.length; n += 1)
    if ((values[n] as number) < (values[best] as number)) best = n;
  return best;
}

function indexOfMax(values: readonly number[]): number {
  let best = 0;
  for (let n = 1; n < values.length; n += 1)
    if ((values[n] as number) > (values[best] as number)) best = n;
  return best;
}
