import type { Cell } from "./cell/cell.js";
import { rankCount, withoutIdleRanks } from "./degrees.js";
import { rowsOf } from "./evaluate.js";
import type { Problem } from "./problem.js";
import type { Schedule } from "./schedule.js";
import { levelCommunication, type Workload, workloadOf } from "./workload.js";

/** Where the time of a schedule goes, us, on the average rank; the parts add up to the schedule's time. */
export interface Breakdown {
  readonly work: number;
  /** Communication that no local work hides. */
  readonly communication: number;
  /** Fixed cost of micro-batches. */
  readonly fixed: number;
  /** Waiting for slower ranks. */
  readonly waiting: number;
}

/** Takes a schedule's time apart. */
export function breakdown(schedule: Schedule, problem: Problem): Breakdown {
  const workload = workloadOf(problem.degrees === "pool" ? problem : withoutIdleRanks(problem));
  const ranks = rankCount(problem);
  const total = { work: 0, communication: 0, fixed: 0 };
  for (const row of rowsOf(schedule.micro_batches, workload)) {
    for (const cell of row) {
      if (cell.sequences.length === 0) continue;
      const { work, communication } = cellParts(cell, workload);
      total.work += work / ranks;
      total.communication += communication / ranks;
      total.fixed += (problem.cost.fixed * workload.size) / ranks;
    }
  }
  const busy = total.work + total.communication + total.fixed;
  return { ...total, waiting: Math.max(0, schedule.iteration_time - busy) };
}

/** Sums over the ranks of a cell, us. */
function cellParts(cell: Cell, workload: Workload): { work: number; communication: number } {
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
  return { work, communication };
}
