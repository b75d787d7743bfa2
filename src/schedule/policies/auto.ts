import { construct } from "../construct/construct.js";
import { rowsOf } from "../evaluate.js";
import { type DegreeClass, Infeasible, type Problem } from "../problem.js";
import { aligned, assignmentOf, type Rows, rowsTime } from "../rows.js";
import { type Assignment, toMicroBatches } from "../schedule.js";
import { type Workload, workloadOf } from "../workload.js";
import { deepspeed } from "./deepspeed.js";
import { unplaceable } from "./full-degree.js";
import type { PolicyFunction } from "./index.js";
import { packed, sorted } from "./packed.js";

/** Narrow to wide: each class contains those before it. */
const CLASSES: readonly DegreeClass[] = ["local-or-all", "powers-of-two", "pool"];
const FLOORS: readonly PolicyFunction[] = [deepspeed, packed, sorted];

interface Candidate {
  readonly rows: Rows;
  readonly workload: Workload;
  readonly time: number;
}

/**
 * The best of the floors and of what is constructed in the problem's class and the narrower ones, each also with
 * every data-parallel rank's micro-batches in descending order of time. Ties go to the earlier.
 *
 * @throws Infeasible where a sequence needs a degree whose cost is not known
 */
export function auto(problem: Problem): Assignment {
  const last = CLASSES.indexOf(problem.degrees);
  const workloads = CLASSES.slice(0, last + 1)
    .map((degrees) => inClass(degrees, problem))
    .map(workloadOf);
  const [narrowest] = workloads;
  let best: Candidate | undefined;
  const consider = (rows: Rows, workload: Workload) => {
    const time = rowsTime(rows, workload);
    if (!best || time < best.time) best = { rows, workload, time };
  };
  for (const floor of FLOORS) {
    const rows = narrowest && floorRows(floor, narrowest);
    if (rows) consider(rows, narrowest);
    if (rows) consider(aligned(rows), narrowest);
  }
  for (const workload of workloads) {
    if (firstUnplaceable(workload) === undefined) consider(aligned(construct(workload)), workload);
  }
  if (!best) throw unplaceable(firstUnplaceable(workloadOf(problem)) ?? 0, problem);
  return assignmentOf(best.rows, best.workload);
}

/** The problem in a narrower class; `pool` always means lockstep. */
function inClass(degrees: DegreeClass, problem: Problem): Problem {
  const objective = problem.degrees === "pool" ? "lockstep" : problem.objective;
  return { ...problem, degrees, objective };
}

function floorRows(floor: PolicyFunction, workload: Workload): Rows | undefined {
  try {
    return rowsOf(toMicroBatches(floor(workload.problem)), workload);
  } catch (error) {
    if (error instanceof Infeasible) return undefined;
    throw error;
  }
}

/** The first sequence that fits the ranks at no available degree. */
function firstUnplaceable({ levels, capacity, order }: Workload): number | undefined {
  return order.find((sequence) =>
    levels.every(({ units }) => (units[sequence] as number) > capacity),
  );
}
