import type { Random32 } from "../../foundation/random.js";
import type { Workload } from "../workload.js";
import type { Slots } from "./slots.js";

/** Places in the order of lengths within which most partners of an exchange are. */
const NEAR = 12;
const UNIT = 2 ** -32;

/** A place of a sequence. */
export interface Place {
  sequence: number;
  cell: number;
  level: number;
  group: number;
}

const nowhere = (): Place => ({ sequence: -1, cell: 0, level: 0, group: 0 });

/** Draws changes of one or two places. The objects are used again for every draw, so that drawing allocates nothing. */
export class Neighbours {
  readonly first = nowhere();
  /** The other place that an exchange changes; `sequence` -1 where there is none. */
  readonly second = nowhere();
  /** Position of every sequence in the order of lengths. */
  readonly #position: Int32Array;
  readonly #levels: number;

  constructor(
    private readonly slots: Slots,
    private readonly workload: Workload,
    private readonly random: Random32,
  ) {
    const { order, levels } = workload;
    this.#levels = levels.length;
    this.#position = new Int32Array(order.length);
    for (const [at, sequence] of order.entries()) this.#position[sequence] = at;
  }

  /** Draws a change; false where the one drawn makes no sense. */
  draw(): boolean {
    const choice = this.random();
    const sequence = (choice & 1) === 0 ? this.#any() : this.#onSlowest();
    this.second.sequence = -1;
    return (choice & 2) === 0
      ? this.#relocate(sequence, choice >>> 2)
      : this.#exchange(sequence, choice >>> 2);
  }

  #below(bound: number): number {
    return Math.floor(this.random() * UNIT * bound);
  }

  #any(): number {
    return this.#below(this.workload.order.length);
  }

  /** A sequence on the slowest rank of some cell. */
  #onSlowest(): number {
    const { members, slowest, count } = this.slots;
    const cell = this.#below(count);
    const own = members[cell] as number[];
    if (own.length === 0) return this.#any();
    const rank = slowest[cell] as number;
    const from = this.#below(own.length);
    for (let n = 0; n < own.length; n += 1) {
      const at = from + n;
      const sequence = own[at < own.length ? at : at - own.length] as number;
      if (this.slots.isOn(sequence, rank)) return sequence;
    }
    return own[from] as number;
  }

  #relocate(sequence: number, choice: number): boolean {
    const { cellOf, levelOf, groupOf, count } = this.slots;
    const cell = cellOf[sequence] as number;
    const level = levelOf[sequence] as number;
    const { first } = this;
    first.sequence = sequence;
    first.cell = (choice & 3) === 0 ? this.#below(count) : cell;
    first.level = (choice & 4) === 0 ? level : this.#otherLevel(level, choice >>> 3);
    if (first.level < 0 || first.level >= this.#levels) return false;
    first.group =
      (choice & 32) === 0
        ? this.#below(this.slots.groupsOf(first.level))
        : this.#groupNear(sequence, level, first.level);
    return (
      first.cell !== cell || first.level !== level || first.group !== (groupOf[sequence] as number)
    );
  }

  #otherLevel(level: number, choice: number): number {
    switch (choice & 3) {
      case 0:
        return level - 1;
      case 1:
        return level + 1;
      default:
        return this.#below(this.#levels);
    }
  }

  /** A group within the old one, or around it. */
  #groupNear(sequence: number, from: number, to: number): number {
    const { slots } = this;
    const degree = this.workload.levels[from]?.degree ?? 1;
    return slots.groupAround(slots.firstOf(sequence) + this.#below(degree), to);
  }

  #exchange(sequence: number, choice: number): boolean {
    const { cellOf, levelOf, groupOf } = this.slots;
    const other = (choice & 1) === 0 ? this.#near(sequence) : this.#any();
    if (other === sequence || other < 0) return false;
    const [level, theirs] = [levelOf[sequence] as number, levelOf[other] as number];
    const { first, second } = this;
    first.sequence = sequence;
    first.cell = cellOf[other] as number;
    second.sequence = other;
    second.cell = cellOf[sequence] as number;
    if (level !== theirs && (choice & 2) === 0) {
      first.level = level;
      first.group = this.#groupNear(other, theirs, level);
      second.level = theirs;
      second.group = this.#groupNear(sequence, level, theirs);
      return true;
    }
    first.level = theirs;
    first.group = groupOf[other] as number;
    second.level = level;
    second.group = groupOf[sequence] as number;
    return (
      first.cell !== second.cell || first.level !== second.level || first.group !== second.group
    );
  }

  /** A sequence of about the same length; -1 beyond the ends of the order. */
  #near(sequence: number): number {
    const { order } = this.workload;
    const position = (this.#position[sequence] as number) + this.#below(2 * NEAR + 1) - NEAR;
    return order[position] ?? -1;
  }
}
