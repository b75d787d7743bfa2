import { permittedDegrees } from "./degrees.js";
import { ceilDivide } from "./integers.js";
import type { CommunicationRow, Problem } from "./problem.js";

/**
 * A problem with what every policy asks of it: work, communication, memory. Mirrored by `instance.py`; every
 * expression here has the same operations in the same order there, because schedules must be equal bit for bit.
 */
export class Instance {
  readonly ranks: number;
  readonly degrees: readonly number[];
  /**
   * Memory is counted in units of 1 / unitsPerToken of a token, so that exact shards are integers and a bucket
   * that is exactly full is legal.
   */
  readonly unitsPerToken: number;
  /** Units a rank can hold in a micro-batch. */
  readonly capacity: number;
  /** us of each sequence on one rank, without the loss of small shards. */
  readonly #whole: readonly number[];
  readonly #rows: ReadonlyMap<number, CommunicationRow>;

  constructor(readonly problem: Problem) {
    const { a1, a2, comm } = problem.cost;
    this.ranks = problem.data_parallel * problem.context_parallel;
    this.degrees = permittedDegrees(problem);
    this.unitsPerToken = problem.padding === "exact" ? (this.degrees.at(-1) ?? 1) : 1;
    this.capacity = problem.bucket * this.unitsPerToken;
    this.#whole = problem.lengths.map((length) => a1 * length + a2 * length * length);
    this.#rows = new Map(Object.entries(comm).map(([degree, row]) => [Number(degree), row]));
  }

  get contextParallel(): number {
    return this.problem.context_parallel;
  }

  /** Tokens of a sequence. */
  length(sequence: number): number {
    return this.problem.lengths[sequence] ?? Number.NaN;
  }

  /** us of a whole sequence on one rank with full-rate attention: what DP ranks are balanced by. */
  wholeWork(sequence: number): number {
    return this.#whole[sequence] ?? Number.NaN;
  }

  /** us that a sequence on `degree` ranks takes on each of them. */
  rankWork(sequence: number, degree: number): number {
    const { a2, small_shard_tokens: smallShard } = this.problem.cost;
    return this.wholeWork(sequence) / degree + a2 * smallShard * this.length(sequence);
  }

  /** us of communication of a group in a micro-batch; degree 1 never communicates (arXiv:2505.19609 Eq. 16). */
  communication(degree: number, volume: number): number {
    const row = this.#rows.get(degree);
    if (degree === 1 || volume === 0 || row === undefined) return 0;
    const linear = row[1] + row[2] * volume;
    return linear > row[0] ? linear : row[0];
  }

  hasRow(degree: number): boolean {
    return degree === 1 || this.#rows.has(degree);
  }

  /** Memory units of one shard, padding included. */
  shard(sequence: number, degree: number): number {
    if (this.problem.padding === "zigzag") return zigzagShard(this.length(sequence), degree);
    return this.length(sequence) * (this.unitsPerToken / degree);
  }

  /** Whether a sequence fits an empty group; unlike `shard` safe for lengths of any size. */
  fits(sequence: number, degree: number): boolean {
    const { bucket, padding } = this.problem;
    if (padding === "zigzag") return zigzagShard(this.length(sequence), degree) <= bucket;
    return this.length(sequence) <= bucket * degree;
  }

  /** Degrees that a sequence may have: permitted, with a communication row, and large enough; ascending. */
  usableDegrees(sequence: number): readonly number[] {
    return this.degrees.filter((degree) => this.hasRow(degree) && this.fits(sequence, degree));
  }

  /** us of a micro-batch with this sequence only. */
  aloneTime(sequence: number, degree: number): number {
    const communication = this.communication(degree, this.length(sequence));
    return communication + this.rankWork(sequence, degree) + this.problem.cost.fixed;
  }
}

/** Zigzag gives every rank two equal pieces, so a sequence is padded to a multiple of twice the degree. */
function zigzagShard(length: number, degree: number): number {
  return degree === 1 ? length : 2 * ceilDivide(length, 2 * degree);
}
