import { describe, expect, it } from "vitest";
import { random32 } from "../../src/foundation/random.js";
import { type Cell, makeCell } from "../../src/schedule/cell/cell.js";
import { exactCell } from "../../src/schedule/cell/exact.js";
import { Placer } from "../../src/schedule/cell/placer.js";
import { solveCell } from "../../src/schedule/cell/solve-cell.js";
import { bestThreshold } from "../../src/schedule/cell/thresholds.js";
import { construct } from "../../src/schedule/construct/construct.js";
import type { Problem } from "../../src/schedule/problem.js";
import { type Draft, Moves } from "../../src/schedule/refine/moves.js";
import { refine } from "../../src/schedule/refine/refine.js";
import { EMPTY_CELL, type OpenCell, openCell, State } from "../../src/schedule/refine/state.js";
import type { Rows } from "../../src/schedule/rows.js";
import { type Workload, workloadOf } from "../../src/schedule/workload.js";
import { randomProblem } from "./random-problem.js";

const budgetOf = (moves: number) => ({ used: (made: number) => made / moves });

function timeOf(rows: Rows, { problem }: Workload): number {
  if (problem.objective === "free")
    return Math.max(...rows.map((row) => row.reduce((sum, { time }) => sum + time, 0)));
  const count = Math.max(...rows.map((row) => row.length));
  let total = 0;
  for (let n = 0; n < count; n += 1) total += Math.max(...rows.map((row) => row[n]?.time ?? 0));
  return total;
}

/** Of open cells: the slowest row, or in lockstep those side by side in descending order of time. */
function timeNow(state: State, { rows, problem }: Workload): number {
  const times = state.cells.map(({ time }) => time);
  if (problem.objective === "free" || rows === 1) {
    const totals = new Array<number>(rows).fill(0);
    for (const [n, time] of times.entries()) {
      const row = state.rowOf[n] as number;
      totals[row] = (totals[row] as number) + time;
    }
    return Math.max(...totals);
  }
  const ordered = times.sort((a, b) => b - a);
  return ordered.filter((_, n) => n % rows === 0).reduce((sum, time) => sum + time, 0);
}

/** Time, and three times what a row takes on average. */
function energyOf(state: State, workload: Workload): number {
  const total = state.cells.reduce((sum, { time }) => sum + time, 0);
  return timeNow(state, workload) + (3 * total) / workload.rows;
}

function placed(draft: Draft, small: boolean, workload: Workload): OpenCell | undefined {
  const { members, levels } = draft;
  if (members.length === 0) return EMPTY_CELL;
  const placer = new Placer(workload);
  if (small) {
    const cell = solveCell(members, workload, placer);
    return cell && openCell(exactCell(cell, workload), workload);
  }
  const { fixed, least } = workload.problem.cost;
  const rounds = 2 * workload.size;
  const kept = placer.place(members, levels, rounds);
  const threshold = bestThreshold(members, workload, placer, rounds, 1);
  if (threshold && threshold.time < kept)
    return {
      members,
      levels: [...threshold.levels],
      time: Math.max(least, threshold.time) + fixed,
    };
  return Number.isFinite(kept)
    ? { members, levels, time: Math.max(least, kept) + fixed }
    : undefined;
}

/** Threshold accepting as its definition has it, step by step; the time of the best schedule met. */
function naive(rows: Rows, workload: Workload, bound: number, moves: number): number {
  const state = new State(rows, workload);
  const proposals = new Moves(workload, random32(workload.problem.seed, 0));
  const small = workload.order.length <= 12 && workload.size <= 4;
  let best = timeNow(state, workload);
  let energy = energyOf(state, workload);
  const most = (small ? 1.5 : 0.02) * (best - bound);
  for (let move = 0; move < moves && best > bound && workload.order.length > 0; move += 1) {
    const drafts = proposals.propose(state);
    const cells = drafts.map((draft) => placed(draft, small, workload));
    if (cells.length === 0 || cells.some((cell) => cell === undefined)) continue;
    const before = drafts.map(({ cell }) => state.cells[cell] as OpenCell);
    for (const [n, { cell }] of drafts.entries()) state.cells[cell] = cells[n] as OpenCell;
    const now = energyOf(state, workload);
    if (now <= energy + most * (1 - move / moves) ** 2) {
      energy = now;
      best = Math.min(best, timeNow(state, workload));
      continue;
    }
    for (const [n, { cell }] of drafts.entries()) state.cells[cell] = before[n] as OpenCell;
  }
  return best;
}

/** Every sequence alone in a cell on all ranks, all in the first row. */
function worst(workload: Workload): Rows {
  const level = workload.levels.length - 1;
  const cells = workload.order.map((sequence) => makeCell([sequence], [level], [0], workload));
  return Array.from({ length: workload.rows }, (_, row) => (row === 0 ? cells : []));
}

/** All degrees have a cost, so that every sequence can be alone. */
const COMM = Object.fromEntries(
  Array.from({ length: 63 }, (_, n) => [n + 2, [300, 200, 0.1 + n / 100] as const]),
);

const problems = (seed: number, most: number): Problem[] =>
  Array.from({ length: 120 }, (_, n) => {
    const problem = randomProblem(seed, n);
    return { ...problem, seed: n, cost: { ...problem.cost, comm: COMM } };
  }).filter(
    ({ lengths, context_parallel: context, bucket }) =>
      lengths.length > 1 &&
      lengths.length <= most &&
      lengths.every((length) => length <= context * bucket),
  );

describe("a search", () => {
  it.each([
    ["small batches, cells solved exhaustively", 21, 8],
    ["any batches", 22, 60],
  ])("goes as threshold accepting is defined, on %s", (_, seed, most) => {
    let improved = 0;
    for (const problem of problems(seed, most).slice(0, 24)) {
      const workload = workloadOf(problem);
      const rows = worst(workload);
      const first = timeOf(rows, workload);
      const found = refine(rows, workload, first / 3, budgetOf(60));
      const expected = naive(rows, workload, first / 3, 60);
      const time = timeOf(found, workload);
      expect(Math.abs(time - expected)).toBeLessThan(1e-9 * first);
      if (time < first) improved += 1;
    }
    expect(improved).toBeGreaterThan(12);
  });

  const workload = workloadOf({
    ...(problems(22, 60)[0] as Problem),
    ...{ lengths: [90, 80, 70, 60, 30], data_parallel: 2, context_parallel: 4, bucket: 500 },
    ...{ degrees: "local-or-all", objective: "free" },
  });
  const rows = worst(workload);

  it("ends with cells that take as long as they did when they were found", () => {
    // On many ranks, sequences change places between them when they are placed, and again when a cell is closed.
    const lengths = Array.from({ length: 60 }, (_, n) => 20 + ((n * n * 37) % 211));
    const many = { lengths, data_parallel: 2, context_parallel: 8, bucket: 800 } as const;
    const wide = workloadOf({ ...workload.problem, ...many, objective: "free" });
    const start = construct(wide);
    const time = timeOf(refine(start, wide, 0, budgetOf(80)), wide);
    expect(time).toBeLessThan(timeOf(start, wide));
    expect(Math.abs(time / naive(start, wide, 0, 80) - 1)).toBeLessThan(1e-12);
  });

  it("returns all sequences once, longest cells first, and no empty cell", () => {
    const found = refine(rows, workload, 0, budgetOf(40));
    const cells = found.flat();
    const sequences = cells.flatMap((cell) => cell.sequences);
    expect(sequences.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(cells.every((cell) => cell.sequences.length > 0)).toBe(true);
    for (const row of found)
      expect(row.map(({ time }) => time)).toEqual(
        row.map(({ time }) => time).sort((a, b) => b - a),
      );
  });

  it("changes nothing without moves, or at the bound", () => {
    const ordered = (cells: readonly Cell[]) => [...cells].sort((a, b) => b.time - a.time);
    const same = rows.map(ordered);
    expect(refine(rows, workload, 0, { used: () => 1 })).toEqual(same);
    const looks: number[] = [];
    const used = (moves: number) => looks.push(moves) / 1e9;
    expect(refine(rows, workload, timeOf(rows, workload), { used })).toEqual(same);
    expect(looks).toEqual([]);
    // The cells are those that were given, not placed again.
    expect(refine(rows, workload, 0, { used: () => 1 })[0]?.[0]).toBe(same[0]?.[0]);
  });

  it("makes as many moves as the budget has, counted from none", () => {
    const looks: number[] = [];
    refine(rows, workload, 0, {
      used: (moves) => {
        looks.push(moves);
        return moves / 5;
      },
    });
    expect(looks).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("of nothing ends at once", () => {
    const nothing = workloadOf({ ...workload.problem, lengths: [] });
    expect(refine([[], []], nothing, -1, budgetOf(5))).toEqual([[], []]);
  });

  it("deals cells in lockstep to rows in turns", () => {
    const lockstep = workloadOf({ ...workload.problem, objective: "lockstep" });
    const dealt = refine(worst(lockstep), lockstep, 0, { used: () => 1 });
    expect(dealt.map((row) => row.map((cell) => cell.sequences))).toEqual([
      [[0], [2], [4]],
      [[1], [3]],
    ]);
  });

  it("keeps a constructed schedule where nothing is better", () => {
    for (const problem of problems(23, 60).slice(0, 10)) {
      const own = workloadOf(problem);
      const built = construct(own);
      const time = timeOf(refine(built, own, 0, budgetOf(30)), own);
      expect(time).toBeLessThanOrEqual(timeOf(built, own) * (1 + 1e-12));
    }
  });
});
