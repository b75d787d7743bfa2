import { FullCells } from "../cell/cell.js";
import { exactCell, isSmall } from "../cell/exact.js";
import { cellsFilled } from "../construct/balanced-bins.js";
import { construct } from "../construct/construct.js";
import { withoutIdleRanks } from "../degrees.js";
import { rowsOf } from "../evaluate.js";
import { lowerBound } from "../lower-bound.js";
import { DEGREE_CLASSES, type DegreeClass, Infeasible, type Problem } from "../problem.js";
import { bestBands } from "../refine/bands.js";
import { type Budget, budgetOf, type Clock, hasBudget } from "../refine/budget.js";
import { refine } from "../refine/refine.js";
import { aligned, assignmentOf, type Rows, rowsTime } from "../rows.js";
import { type Assignment, toMicroBatches } from "../schedule.js";
import { type Workload, workloadOf } from "../workload.js";
import { deepspeedBatches } from "./deepspeed.js";
import { POLICIES } from "./index.js";
import { packedBatches } from "./packed.js";
import { type Batches, unplaceable } from "./parts/full-degree.js";
import { sortedBatches } from "./sorted.js";

const FLOORS: readonly ((problem: Problem) => Batches)[] = [
  deepspeedBatches,
  packedBatches,
  sortedBatches,
];

/** Share of a time budget that each narrower class gets. */
const NARROWER_SHARE = 0.2;

/** Gap at which bands cannot be worth their time. */
const NEARLY_OPTIMAL = 0.005;

interface Candidate {
  readonly rows: Rows;
  readonly workload: Workload;
  readonly time: number;
}

/**
 * An anytime portfolio. The floors, and what is constructed in the problem's class and the narrower ones, each also
 * with every data-parallel rank's micro-batches in descending order of time; ties go to the earlier. With a budget,
 * every other policy too, and what is best so far is refined in each class in turn: never worse than any of them,
 * nor than the same search in a narrower class.
 *
 * @param clock for a budget by the clock
 * @throws Infeasible where a sequence needs a degree whose cost is not known
 */
export function auto(problem: Problem, clock?: Clock): Assignment {
  const workloads = DEGREE_CLASSES.slice(0, DEGREE_CLASSES.indexOf(problem.degrees) + 1).map(
    (degrees) => workloadOf(inClass(degrees, problem)),
  );
  const searching = hasBudget(problem, clock);
  const portfolio = new Portfolio();
  const [narrowest] = workloads;
  if (narrowest) {
    for (const rows of floors(narrowest, searching)) {
      portfolio.consider(rows, narrowest);
      portfolio.consider(aligned(rows), narrowest);
    }
  }
  for (const [n, workload] of workloads.entries()) {
    if (firstUnplaceable(workload) !== undefined) continue;
    portfolio.consider(aligned(construct(workload)), workload);
    if (!searching) continue;
    portfolio.considerBands(workload);
    const share = n === workloads.length - 1 ? 1 - n * NARROWER_SHARE : NARROWER_SHARE;
    portfolio.refineIn(workload, budgetOf(problem, share, clock));
  }
  const { best } = portfolio;
  if (!best) throw unplaceable(firstUnplaceable(workloadOf(problem)) ?? 0, problem);
  return assignmentOf(best.rows, best.workload);
}

class Portfolio {
  best: Candidate | undefined;

  consider(rows: Rows, workload: Workload): void {
    const time = rowsTime(rows, workload);
    if (!this.best || time < this.best.time) this.best = { rows, workload, time };
  }

  /** Bands, where there is much to gain, in about as many cells as memory asks for. */
  considerBands(workload: Workload): void {
    const bound = lowerBound(workload.problem);
    if (!this.best || this.best.time <= bound * (1 + NEARLY_OPTIMAL)) return;
    const { rows, order } = workload;
    const fewest = Math.ceil(cellsFilled(order, workload));
    const level = Math.ceil(fewest / rows) * rows;
    for (const count of new Set([fewest, fewest + 1, level, level + rows])) {
      const found = bestBands(count, workload);
      if (found) this.consider(aligned(found), workload);
    }
  }

  refineIn(workload: Workload, budget: Budget): void {
    if (!this.best) return;
    const { rows, workload: from } = this.best;
    const start =
      from === workload ? rows : rowsOf(toMicroBatches(assignmentOf(rows, from)), workload);
    const refined = refine(start, workload, lowerBound(workload.problem), budget);
    this.consider(refined, workload);
    const exact = refined.map((row) =>
      row.map((cell) =>
        isSmall(cell.sequences.length, workload) ? exactCell(cell, workload) : cell,
      ),
    );
    this.consider(aligned(exact), workload);
  }
}

/** The problem in a narrower class; `pool` always means lockstep. */
function inClass(degrees: DegreeClass, problem: Problem): Problem {
  const objective = problem.degrees === "pool" ? "lockstep" : problem.objective;
  const busy = degrees === "pool" ? problem : withoutIdleRanks(problem);
  if (busy === problem && degrees === problem.degrees && objective === problem.objective)
    return problem;
  return { ...busy, degrees, objective };
}

/** Schedules of the other policies that find one: the cheap ones, and all where a search will follow. */
function* floors(workload: Workload, all: boolean): Generator<Rows> {
  const { problem } = workload;
  const cells = new FullCells(workload);
  for (const floor of FLOORS) {
    const batches = unlessInfeasible(() => floor(problem));
    if (batches) yield batches.map((own) => own.map((sequences) => cells.cell(sequences)));
  }
  if (!all) return;
  for (const policy of Object.values(POLICIES)) {
    const assignment = unlessInfeasible(() => policy(problem));
    if (assignment) yield rowsOf(toMicroBatches(assignment), workload);
  }
}

function unlessInfeasible<T>(make: () => T): T | undefined {
  try {
    return make();
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
