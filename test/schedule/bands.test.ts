import { describe, expect, it } from "vitest";
import type { Cell } from "../../src/schedule/cell/cell.js";
import { Placer } from "../../src/schedule/cell/placer.js";
import { solveCell } from "../../src/schedule/cell/solve-cell.js";
import { bestBands } from "../../src/schedule/construct/bands.js";
import type { Problem } from "../../src/schedule/problem.js";
import { type Workload, workloadByRank } from "../../src/schedule/workload.js";
import { randomProblem } from "./random-problem.js";

const PROBLEM: Problem = {
  format_version: 1,
  lengths: [],
  data_parallel: 1,
  context_parallel: 2,
  bucket: 1000,
  padding: "exact",
  cost: {
    a1: 1,
    a2: 0.002,
    fixed: 100,
    least: 0,
    small_shard_tokens: 0,
    comm: { 2: [300, 0, 0.5] },
  },
  policy: "auto",
  degrees: "local-or-all",
  objective: "free",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};

/** Memory of a sequence over its cell at the degree that takes least. */
function leastUnits(sequence: number, { levels, capacity }: Workload): number {
  const fitting = levels.filter(({ units }) => (units[sequence] as number) <= capacity);
  return Math.min(...fitting.map(({ units, degree }) => degree * (units[sequence] as number)));
}

/** The bin with the least load that has room for `units`. */
function leastOf(bins: { load: number; used: number }[], units: number, room: number): number {
  const fitting = [...bins.keys()].filter((bin) => (bins[bin]?.used ?? 0) + units <= room);
  const least = Math.min(...fitting.map((bin) => bins[bin]?.load ?? 0));
  return fitting.find((bin) => bins[bin]?.load === least) ?? -1;
}

/** Members of cells whose bands begin at a place in the order of lengths. */
function bandsFrom(from: number, count: number, workload: Workload): number[][] | undefined {
  const { order, size, capacity, levels } = workload;
  const cells = Array.from({ length: count }, () => ({ load: 0, used: 0, at: [] as number[] }));
  const add = (at: number, cell: number) => {
    const own = cells[cell] as (typeof cells)[number];
    own.load += levels[0]?.work[order[at] as number] ?? 0;
    own.used += leastUnits(order[at] as number, workload);
    own.at.push(at);
  };
  for (let n = 0; n < count * size; n += 1) add(from + n, Math.floor(n / size));
  for (const at of order.keys()) {
    if (at >= from && at < from + count * size) continue;
    const cell = leastOf(cells, leastUnits(order[at] as number, workload), capacity * size);
    if (cell < 0) return undefined;
    add(at, cell);
  }
  return cells.map(({ at }) => at.sort((a, b) => a - b).map((n) => order[n] as number));
}

/** Times of the rows that cells are given to, longest first: in turns, or each to the row with the least. */
function timeInRows(cells: readonly Cell[], { rows, problem }: Workload): number {
  const times = cells.map(({ time }) => time).sort((a, b) => b - a);
  if (problem.objective === "lockstep")
    return times.filter((_, n) => n % rows === 0).reduce((sum, time) => sum + time, 0);
  const totals = new Array<number>(rows).fill(0);
  for (const time of times) {
    const least = totals.indexOf(Math.min(...totals));
    totals[least] = (totals[least] as number) + time;
  }
  return Math.max(...totals);
}

/** Time of the best of 16 places of the bands, from the longest sequence that fits a rank to the shortest. */
function naive(count: number, workload: Workload): number | undefined {
  const { order, size, levels, capacity } = workload;
  const longest = order.findIndex((sequence) => (levels[0]?.units[sequence] ?? 0) <= capacity);
  const last = order.length - count * size;
  if (size === 1 || longest < 0 || last < longest) return undefined;
  let best: number | undefined;
  for (let n = 0; n < 16; n += 1) {
    const from = longest + Math.floor(((last - longest) * n) / 16);
    const bins = bandsFrom(from, count, workload);
    const cells = bins?.map((own) => solveCell(own, workload, new Placer(workload)));
    if (!cells?.every((cell) => cell !== undefined)) continue;
    const time = timeInRows(cells, workload);
    if (best === undefined || time < best) best = time;
  }
  return best;
}

const timeOf = (rows: readonly (readonly Cell[])[], { problem }: Workload) => {
  if (problem.objective === "free")
    return Math.max(...rows.map((row) => row.reduce((sum, { time }) => sum + time, 0)));
  const count = Math.max(...rows.map((row) => row.length));
  const slowest = Array.from({ length: count }, (_, n) => rows.map((row) => row[n]?.time ?? 0));
  return slowest.reduce((sum, times) => sum + Math.max(...times), 0);
};

describe("bands", () => {
  it("have the best of their places in random problems", () => {
    let found = 0;
    for (let n = 0; n < 60; n += 1) {
      const { lengths, ...rest } = randomProblem(31, n);
      if (rest.degrees === "pool") continue;
      // Most fit a rank, or there would be no bands.
      const short = lengths.slice(0, 24).map((length, k) => (k % 7 ? 1 + (length % 60) : length));
      const workload = workloadByRank({ ...rest, lengths: short });
      for (const count of [1, 2, 3, 5]) {
        const expected = naive(count, workload);
        const rows = bestBands(count, 16, workload);
        expect(rows === undefined).toBe(expected === undefined);
        if (rows === undefined || expected === undefined) continue;
        expect(timeOf(rows, workload)).toBeCloseTo(expected, 6);
        const sequences = rows.flatMap((row) => row.flatMap((cell) => cell.sequences));
        expect(sequences.sort((a, b) => a - b)).toEqual([...workload.order.keys()]);
        found += 1;
      }
    }
    expect(found).toBeGreaterThan(40);
  });

  it("are none without a sequence for every rank, one that fits a rank, or a group", () => {
    const bands = (change: Partial<Problem>, count = 1) =>
      bestBands(count, 16, workloadByRank({ ...PROBLEM, ...change }));
    expect(bands({ lengths: [100, 100] })).toBeDefined();
    expect(bands({ lengths: [100] })).toBeUndefined();
    expect(bands({ lengths: [100, 100, 100] }, 2)).toBeUndefined();
    expect(bands({ lengths: [1001, 1001] })).toBeUndefined();
    expect(bands({ lengths: [1001, 1000] })).toBeUndefined();
    expect(bands({ lengths: [1001, 400, 400] })).toBeDefined();
    expect(bands({ lengths: [100, 100], context_parallel: 1 })).toBeUndefined();
  });

  it("stay whole and hide the communication of the longest", () => {
    const workload = workloadByRank({ ...PROBLEM, lengths: [60, 900, 50, 450, 450] });
    const [row] = bestBands(1, 16, workload) ?? [];
    expect(row).toHaveLength(1);
    const levels = Object.fromEntries(
      row?.[0]?.sequences.map((sequence, n) => [sequence, row[0]?.levels[n]]) ?? [],
    );
    expect([levels[1], levels[3], levels[4]]).toEqual([1, 0, 0]);
  });
});
