import { type Cell, slowestTime } from "./cell/cell.js";
import { rankCount } from "./degrees.js";
import { rowsOf, rowsUnder, type Timing, workloadOfRanks } from "./evaluate.js";
import type { Problem } from "./problem.js";
import { rowsTime } from "./rows.js";
import type { Schedule } from "./schedule.js";
import { levelCommunication, type Workload } from "./workload.js";

/** Where the time of a schedule goes, us, on the average rank; the parts add up to the schedule's time. */
export interface Breakdown {
  readonly work: number;
  /** Communication that no local work hides. */
  readonly communication: number;
  /** Fixed cost of micro-batches. */
  readonly fixed: number;
  /** What micro-batches take longer than their work: starting kernels, communication that outlasts the work beside it. */
  readonly stalled: number;
  /** Waiting for slower ranks. */
  readonly waiting: number;
}

/**
 * Takes a schedule's time apart.
 *
 * @param timing of its micro-batches, where they are not all timed by the problem's own costs
 */
export function breakdown(schedule: Schedule, problem: Problem, timing?: Timing): Breakdown {
  const { micro_batches: microBatches } = schedule;
  const own = workloadOfRanks(problem);
  const rows = timing ? rowsUnder(microBatches, timing) : rowsOf(microBatches, own);
  const ranks = rankCount(problem);
  const total = { work: 0, communication: 0, fixed: 0, stalled: 0 };
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      if (cell.sequences.length === 0) continue;
      const { work, communication, stalled } = cellParts(cell, timing?.[index] ?? own);
      total.work += work / ranks;
      total.communication += communication / ranks;
      total.stalled += stalled / ranks;
      total.fixed += (problem.cost.fixed * own.size) / ranks;
    }
  }
  const time = timing ? rowsTime(rows, own) : schedule.iteration_time;
  const busy = total.work + total.communication + total.fixed + total.stalled;
  return { ...total, waiting: Math.max(0, time - busy) };
}

/** Sums over the ranks of a cell, us. */
function cellParts(
  cell: Cell,
  workload: Workload,
): { readonly work: number; readonly communication: number; readonly stalled: number } {
  const local = new Float64Array(workload.size);
  const waits = new Float64Array(workload.size);
  const tokens = workload.levels.map(({ degree }) => new Float64Array(workload.size / degree));
  let work = 0;
  for (const [k, sequence] of cell.sequences.entries()) {
    const n = cell.levels[k] as number;
    const level = workload.levels[n];
    if (!level) continue;
    const first = cell.firsts[k] as number;
    const own = level.work[sequence] as number;
    work += own * level.degree;
    if (n === 0) local[first] = (local[first] as number) + own;
    const groups = tokens[n] as Float64Array;
    const group = first / level.degree;
    groups[group] = (groups[group] as number) + (workload.problem.lengths[sequence] as number);
  }
  for (const [n, level] of workload.levels.entries()) {
    for (let rank = 0; rank < workload.size && level.degree > 1; rank += 1) {
      const own = (tokens[n] as Float64Array)[Math.floor(rank / level.degree)] as number;
      waits[rank] = (waits[rank] as number) + levelCommunication(level, own);
    }
  }
  let communication = 0;
  for (const [rank, wait] of waits.entries()) {
    communication += Math.max(0, wait - (local[rank] as number));
  }
  const held = workload.problem.cost.least - slowestTime(cell, workload);
  return { work, communication, stalled: workload.size * Math.max(0, held) };
}
