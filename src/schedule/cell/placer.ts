import { type Level, levelCommunication, type Workload } from "../workload.js";
import { type Bins, leastLoaded, put } from "./bins.js";
import { improveBySwaps } from "./swaps.js";

/**
 * Places the sequences of one cell, their degrees given: wide groups first, each sequence on the aligned group with
 * the least load that has room. Going down the degrees, the ranks of a group are alike until it is split, so the
 * state is one number per group. Holds its buffers, so that placing allocates nothing.
 */
export class Placer {
  /** First rank of each member's group, after {@link place}. */
  readonly firsts: Int32Array;
  /** Position of the member that found no room, after {@link place} failed. */
  failedAt = -1;
  readonly #bins: Bins;
  /** Time that groups wait for their communication and sharded work, us. */
  readonly #floor: Float64Array;
  readonly #sharded: Float64Array;
  readonly #communication: Float64Array;
  readonly #tokens: Float64Array;
  readonly #work: Float64Array;
  readonly #units: Float64Array;
  /** Rank of each local member, -1 for the others. */
  readonly #ranks: Int32Array;

  constructor(private readonly workload: Workload) {
    const { size } = workload;
    const count = workload.order.length;
    this.#bins = { load: new Float64Array(size), room: new Float64Array(size) };
    this.#floor = new Float64Array(size);
    this.#sharded = new Float64Array(size);
    this.#communication = new Float64Array(size);
    this.#tokens = new Float64Array(size);
    this.#work = new Float64Array(count);
    this.#units = new Float64Array(count);
    this.#ranks = new Int32Array(count);
    this.firsts = new Int32Array(count);
  }

  /**
   * Time of the cell without its fixed cost, us; infinite where a sequence finds no room.
   *
   * @param members sequences, longest first
   * @param levelOf index of the workload's level, by position in `members`
   * @param rounds most exchanges of local sequences between ranks
   */
  place(members: ArrayLike<number>, levelOf: ArrayLike<number>, rounds: number): number {
    const { levels, size, capacity } = this.workload;
    let groups = 1;
    this.#bins.room[0] = capacity;
    this.#sharded[0] = 0;
    this.#communication[0] = 0;
    for (let n = levels.length - 1; n > 0; n -= 1) {
      const level = levels[n] as Level;
      if (!uses(levelOf, members.length, n)) continue;
      groups = this.#split(groups, size / level.degree);
      if (!this.#placeSharded(members, levelOf, n, groups)) return Number.POSITIVE_INFINITY;
    }
    groups = this.#split(groups, size);
    return this.#placeLocal(members, levelOf, rounds);
  }

  /** Cuts every group into equal parts, `to` in all. */
  #split(from: number, to: number): number {
    const parts = to / from;
    const { room } = this.#bins;
    for (let group = to - 1; group >= 0; group -= 1) {
      const whole = Math.floor(group / parts);
      room[group] = room[whole] as number;
      this.#sharded[group] = this.#sharded[whole] as number;
      this.#communication[group] = this.#communication[whole] as number;
    }
    return to;
  }

  #placeSharded(
    members: ArrayLike<number>,
    levelOf: ArrayLike<number>,
    n: number,
    groups: number,
  ): boolean {
    const level = this.workload.levels[n] as Level;
    const { lengths } = this.workload.problem;
    const { load } = this.#bins;
    for (let group = 0; group < groups; group += 1) {
      load[group] = (this.#sharded[group] as number) + (this.#communication[group] as number);
      this.#tokens[group] = 0;
    }
    for (let k = 0; k < members.length; k += 1) {
      if (levelOf[k] !== n) continue;
      const sequence = members[k] as number;
      const units = level.units[sequence] as number;
      const group = leastLoaded(this.#bins, groups, units);
      if (group < 0) return this.#failAt(k);
      const length = lengths[sequence] as number;
      const work = level.work[sequence] as number;
      put(this.#bins, group, work + level.slope * length, units);
      this.#sharded[group] = (this.#sharded[group] as number) + work;
      this.#tokens[group] = (this.#tokens[group] as number) + length;
      this.firsts[k] = group * level.degree;
    }
    for (let group = 0; group < groups; group += 1) {
      const time = levelCommunication(level, this.#tokens[group] as number);
      this.#communication[group] = (this.#communication[group] as number) + time;
    }
    return true;
  }

  #placeLocal(members: ArrayLike<number>, levelOf: ArrayLike<number>, rounds: number): number {
    const { size, levels } = this.workload;
    const local = levels[0] as Level;
    for (let rank = 0; rank < size; rank += 1) {
      const sharded = this.#sharded[rank] as number;
      this.#bins.load[rank] = sharded;
      this.#floor[rank] = (this.#communication[rank] as number) + sharded;
    }
    for (let k = 0; k < members.length; k += 1) {
      this.#ranks[k] = -1;
      if (levelOf[k] !== 0) continue;
      const sequence = members[k] as number;
      const units = local.units[sequence] as number;
      const work = local.work[sequence] as number;
      const rank = leastLoaded(this.#bins, size, units);
      if (rank < 0) {
        this.#failAt(k);
        return Number.POSITIVE_INFINITY;
      }
      put(this.#bins, rank, work, units);
      this.#work[k] = work;
      this.#units[k] = units;
      this.#ranks[k] = rank;
    }
    return this.#finish(members.length, rounds);
  }

  #finish(count: number, rounds: number): number {
    const { size } = this.workload;
    const items = { count, work: this.#work, units: this.#units, binOf: this.#ranks };
    if (rounds > 0 && size > 1) improveBySwaps(items, this.#bins, this.#floor, size, rounds);
    for (let k = 0; k < count; k += 1) {
      const rank = this.#ranks[k] as number;
      if (rank >= 0) this.firsts[k] = rank;
    }
    let slowest = 0;
    for (let rank = 0; rank < size; rank += 1) {
      const time = Math.max(this.#floor[rank] as number, this.#bins.load[rank] as number);
      if (time > slowest) slowest = time;
    }
    return slowest;
  }

  #failAt(position: number): boolean {
    this.failedAt = position;
    return false;
  }
}

function uses(levelOf: ArrayLike<number>, count: number, level: number): boolean {
  for (let k = 0; k < count; k += 1) if (levelOf[k] === level) return true;
  return false;
}
