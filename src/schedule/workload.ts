import { positionsInOrder } from "../foundation/integers.js";
import { degreesOfClass, isAvailable, rankCount } from "./degrees.js";
import type { Problem } from "./problem.js";
import { bucketUnits, shardUnits, workOf } from "./time-and-memory.js";

/** A degree that groups may have, with what every sequence costs at it. */
export interface Level {
  readonly degree: number;
  /** Work on each of the group's ranks, us, by sequence. */
  readonly work: Float64Array;
  /** Memory on each of the group's ranks, in the units of `shardUnits`, by sequence. */
  readonly units: Float64Array;
  /** `max(floor, intercept + slope * tokens)`, us; zeros for degree 1. */
  readonly floor: number;
  readonly intercept: number;
  readonly slope: number;
}

/** A problem's costs, tabled once, for the ranks that one cell spans. */
export interface Workload {
  readonly problem: Problem;
  /** Ranks of a cell: a context-parallel group, or with `pool` the whole machine. */
  readonly size: number;
  /** Rows of cells that run side by side: data-parallel ranks, or with `pool` one. */
  readonly rows: number;
  /** Memory of a rank in one micro-batch, in the units of `shardUnits`. */
  readonly capacity: number;
  /** Available degrees, ascending; the first is 1. */
  readonly levels: readonly Level[];
  /** Sequences by length, longest first, ties by index. */
  readonly order: readonly number[];
}

const tabled = new WeakMap<Problem, Workload>();

/** Tables the costs of a problem, once. */
export function workloadOf(problem: Problem): Workload {
  const known = tabled.get(problem);
  if (known) return known;
  const workload = table(problem);
  tabled.set(problem, workload);
  return workload;
}

function table(problem: Problem): Workload {
  const pool = problem.degrees === "pool";
  const levels = degreesOfClass(problem)
    .filter((degree) => isAvailable(degree, problem))
    .map((degree) => levelOf(degree, problem));
  return {
    problem,
    size: pool ? rankCount(problem) : problem.context_parallel,
    rows: pool ? 1 : problem.data_parallel,
    capacity: bucketUnits(problem),
    levels,
    order: longestFirst(problem.lengths),
  };
}

/** Indices by length, longest first, ties by index. */
export function longestFirst(lengths: readonly number[]): number[] {
  return positionsInOrder(lengths, true);
}

function levelOf(degree: number, problem: Problem): Level {
  const { lengths } = problem;
  const [floor, intercept, slope] = problem.cost.comm[degree] ?? [0, 0, 0];
  const communicates = degree > 1;
  return {
    degree,
    work: tableOf(lengths, (length) => workOf(length, degree, problem)),
    units: tableOf(lengths, (length) => shardUnits(length, degree, problem)),
    floor: communicates ? floor : 0,
    intercept: communicates ? intercept : 0,
    slope: communicates ? slope : 0,
  };
}

/** As `Float64Array.from`, at several times its speed. */
function tableOf(lengths: readonly number[], of: (length: number) => number): Float64Array {
  const values = new Float64Array(lengths.length);
  for (let n = 0; n < lengths.length; n += 1) values[n] = of(lengths[n] as number);
  return values;
}

/** Communication of one group of a level for `tokens` sharded over it, us (arXiv:2505.19609 Eq. 16). */
export function levelCommunication({ floor, intercept, slope }: Level, tokens: number): number {
  return tokens === 0 ? 0 : Math.max(floor, intercept + slope * tokens);
}
