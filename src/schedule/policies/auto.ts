import {
  BAND_TRIES,
  FAR_BEHIND,
  MORE_BANDS,
  MOST_BANDED,
  NEARLY_EVEN,
} from "../../foundation/limits.generated.js";
import { FullCells } from "../cell/cell.js";
import { exactCell, isSmall } from "../cell/exact.js";
import { cellsFilled } from "../construct/balanced-bins.js";
import { bestBands } from "../construct/bands.js";
import { construct, type Effort, evenSpread, LITTLE, MUCH } from "../construct/construct.js";
import { rankCount, withoutIdleRanks } from "../degrees.js";
import { rowsOf } from "../evaluate.js";
import { lowerBound } from "../lower-bound.js";
import { DEGREE_CLASSES, type DegreeClass, Infeasible, type Problem } from "../problem.js";
import { aligned, assignmentOf, type Rows, rowsTime } from "../rows.js";
import { type Assignment, toMicroBatches } from "../schedule.js";
import { anneal, isSmallBatch } from "../search/anneal.js";
import { Budget, type Clock } from "../search/budget.js";
import { type Workload, workloadByRank, workloadOf } from "../workload.js";
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

const DEARER_FLOORS = [POLICIES["skrull-paper"], POLICIES["round-robin"], POLICIES.dacp];

/** Gap at which bands cannot be worth their time. */
const NEARLY_OPTIMAL = 0.005;

/** Places of bands that are tried where there is time. */
const MOST_BAND_TRIES = 16;

/** Share of a time budget after which no more constructions are begun. */
const MOST_STARTS = 0.4;

interface Candidate {
  readonly rows: Rows;
  readonly workload: Workload;
  readonly time: number;
}

/**
 * An anytime portfolio. The floors, and what is constructed in the problem's class and the narrower ones; ties go to the
 * earlier. With a budget, every other policy too, more constructions, and a search from what is best.
 *
 * @param clock for a budget by the clock
 * @throws Infeasible where a sequence needs a degree whose cost is not known
 */
export function auto(problem: Problem, clock?: Clock): Assignment {
  const budget = new Budget(problem, clock);
  const workloads = DEGREE_CLASSES.slice(0, DEGREE_CLASSES.indexOf(problem.degrees) + 1).map(
    (degrees) => workloadOf(inClass(degrees, problem)),
  );
  const portfolio = new Portfolio(budget);
  const [narrowest] = workloads;
  if (narrowest) {
    const byRank = workloadByRank(narrowest.problem);
    for (const rows of floors(byRank, budget.searches)) {
      portfolio.consider(rows, byRank);
      portfolio.consider(aligned(rows), byRank);
    }
  }
  const usable = workloads.filter((workload) => firstUnplaceable(workload) === undefined);
  const floor = portfolio.best;
  for (const [n, workload] of usable.entries()) portfolio.constructLittle(workload, n === 0);
  if (budget.timed) portfolio.searchByClock(usable);
  else if (budget.searches) portfolio.searchByMoves(usable, floor);
  const { best } = portfolio;
  if (!best) throw unplaceable(firstUnplaceable(workloadOf(problem)) ?? 0, problem);
  return assignmentOf(best.rows, best.workload);
}

class Portfolio {
  best: Candidate | undefined;

  constructor(private readonly budget: Budget) {}

  readonly #mayConstruct = () => this.budget.gone() < MOST_STARTS;

  consider(rows: Rows, workload: Workload): void {
    const time = rowsTime(rows, workload);
    if (!this.best || time < this.best.time) this.best = { rows, workload, time };
  }

  /** What both programs construct in a class, unless what is there is good enough. */
  constructLittle(workload: Workload, isNarrowest: boolean): void {
    const { problem, order } = workload;
    const goal = NEARLY_EVEN * evenSpread(order, rankCount(problem), workload);
    const isDone = () => this.best !== undefined && this.best.time <= goal;
    if (isDone()) return;
    this.construct(workload, LITTLE);
    const tries = Math.min(BAND_TRIES, Math.floor(MOST_BANDED / Math.max(1, order.length)));
    if (isNarrowest && !isDone()) this.#considerBands(problem, tries);
  }

  construct(workload: Workload, effort: Effort): void {
    this.consider(construct(workload, effort, this.#mayConstruct), workload);
  }

  /** All that is constructed, and what is best so far searched on in the widest class: it contains the others. */
  searchByClock(workloads: readonly Workload[]): void {
    const [narrowest] = workloads;
    const widest = workloads.at(-1);
    if (narrowest) this.#searchBands(narrowest.problem);
    // Wide to narrow: where time is short, the widest is what most comes from.
    for (const workload of workloads.toReversed())
      if (this.#mayConstruct()) this.construct(workload, MUCH);
    if (this.best && widest) this.#anneal(this.best, widest);
  }

  /**
   * Each class searched from what was constructed in it and the narrower ones, not from what was found there: then no class
   * finds less than a narrower one, and no larger number of moves less than a smaller one.
   */
  searchByMoves(workloads: readonly Workload[], floor: Candidate | undefined): void {
    const constructed = new Portfolio(this.budget);
    constructed.best = floor;
    for (const [n, workload] of workloads.entries()) {
      constructed.constructLittle(workload, n === 0);
      constructed.construct(workload, MUCH);
      if (n === 0) constructed.#searchBands(workload.problem);
      const { best } = constructed;
      if (!best) continue;
      this.consider(best.rows, best.workload);
      this.#anneal(best, workload);
    }
  }

  /** Bands in the fewest cells that memory allows, as many in every row, and in somewhat more. */
  #considerBands(problem: Problem, tries: number): void {
    if (problem.degrees === "pool") return;
    const workload = workloadByRank(problem);
    const { rows, order } = workload;
    const level = Math.ceil(cellsFilled(order, workload) / rows) * rows;
    for (let count = level; count <= level + MORE_BANDS * rows; count += rows) {
      const found = bestBands(count, tries, workload, this.#mayConstruct);
      if (!found) continue;
      if (this.best && rowsTime(found, workload) > this.best.time * FAR_BEHIND) return;
      this.consider(aligned(found), workload);
    }
  }

  /** More bands, where there is much to gain. */
  #searchBands(problem: Problem): void {
    const goal = lowerBound(problem) * (1 + NEARLY_OPTIMAL);
    if (this.best && this.best.time > goal) this.#considerBands(problem, MOST_BAND_TRIES);
  }

  #anneal(from: Candidate, workload: Workload): void {
    const bound = lowerBound(workload.problem);
    let rows =
      from.workload === workload
        ? from.rows
        : rowsOf(toMicroBatches(assignmentOf(from.rows, from.workload)), workload);
    let stream = 0;
    for (const { used } of this.budget.legs(isSmallBatch(workload))) {
      if (rowsTime(rows, workload) <= bound) break;
      rows = anneal(rows, workload, bound, stream, used);
      stream += 1;
    }
    const mayGoOn = () => this.budget.gone() < 1;
    const exact = rows.map((row) =>
      row.map((cell) =>
        isSmall(cell.sequences.length, workload) ? exactCell(cell, workload, mayGoOn) : cell,
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

/**
 * Schedules of the other policies that find one, also aligned: the cheap ones, and all where a search will follow.
 *
 * @param workload whose cells are those of data-parallel ranks
 */
function* floors(workload: Workload, all: boolean): Generator<Rows> {
  const cells = new FullCells(workload);
  for (const floor of FLOORS) {
    const batches = unlessInfeasible(() => floor(workload.problem));
    if (batches) yield batches.map((own) => own.map((sequences) => cells.cell(sequences)));
  }
  if (!all) return;
  for (const policy of DEARER_FLOORS) {
    const assignment = unlessInfeasible(() => policy(workload.problem));
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
