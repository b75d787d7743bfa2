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
  /** Ranks of a cell: those of a data-parallel rank, or of the whole machine, see {@link isMachineWide}. */
  readonly size: number;
  /** Rows of cells: data-parallel ranks, or one. */
  readonly rows: number;
  /** Memory of a rank in one micro-batch, in the units of `shardUnits`. */
  readonly capacity: number;
  /** Available degrees, ascending; the first is 1. */
  readonly levels: readonly Level[];
  /** Sequences by length, longest first, ties by index. */
  readonly order: readonly number[];
}

const tabled = new WeakMap<Problem, Workload>();
const tabledByRank = new WeakMap<Problem, Workload>();

/** Tables the costs of a problem, once. */
export function workloadOf(problem: Problem): Workload {
  if (!isMachineWide(problem)) return workloadByRank(problem);
  return remembered(tabled, problem, () => {
    const size = rankCount(problem);
    return { ...table(problem), size, rows: 1 };
  });
}

/** The same, with cells of the data-parallel ranks whatever the objective; not for groups wider than these. */
export function workloadByRank(problem: Problem): Workload {
  return remembered(tabledByRank, problem, () => ({
    ...table(problem),
    size: problem.context_parallel,
    rows: problem.data_parallel,
  }));
}

function remembered(
  known: WeakMap<Problem, Workload>,
  problem: Problem,
  make: () => Workload,
): Workload {
  const found = known.get(problem) ?? make();
  known.set(problem, found);
  return found;
}

/**
 * Whether a micro-batch is one cell of all ranks: where all wait for the slowest before the next one begins, it makes no
 * difference whose a sequence is, but that no group may be wider than the class says.
 */
const isMachineWide = ({ degrees, objective }: Problem): boolean =>
  degrees === "pool" || objective === "lockstep";

function table(problem: Problem): Omit<Workload, "size" | "rows"> {
  const levels = degreesOfClass(problem)
    .filter((degree) => isAvailable(degree, problem))
    .map((degree) => levelOf(degree, problem));
  return { problem, capacity: bucketUnits(problem), levels, order: longestFirst(problem.lengths) };
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
