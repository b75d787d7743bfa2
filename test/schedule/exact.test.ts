import loadHighs from "highs";
import { describe, expect, it } from "vitest";
import { type Random32, random32, randomBelow } from "../../src/foundation/random.js";
import { exactCell } from "../../src/schedule/cell/exact.js";
import { Placer } from "../../src/schedule/cell/placer.js";
import { solveCell } from "../../src/schedule/cell/solve-cell.js";
import type { DegreeClass, Problem } from "../../src/schedule/problem.js";
import { solve } from "../../src/schedule/solve.js";
import { longestFirst, type Workload, workloadOf } from "../../src/schedule/workload.js";

/** A small problem with costs in proportion, so that neither work nor communication decides alone. */
function smallProblem(random: Random32, count: number, dataParallel: number): Problem {
  const degrees: DegreeClass = randomBelow(random, 2) === 0 ? "local-or-all" : "powers-of-two";
  const context = degrees === "local-or-all" ? 2 + randomBelow(random, 3) : 4;
  const bucket = 2000 + randomBelow(random, 4000);
  const lengths = Array.from({ length: count }, () =>
    randomBelow(random, 3) === 0
      ? 1 + randomBelow(random, Math.floor((bucket * context) / 3))
      : 1 + randomBelow(random, 1500),
  );
  const row = () => [
    randomBelow(random, 4000),
    randomBelow(random, 3000),
    randomBelow(random, 9) / 10,
  ];
  return {
    format_version: 1,
    lengths,
    data_parallel: dataParallel,
    context_parallel: context,
    bucket,
    padding: "exact",
    cost: {
      a1: 1 + randomBelow(random, 10),
      a2: randomBelow(random, 40) / 10_000,
      fixed: randomBelow(random, 1000),
      least: randomBelow(random, 2) * randomBelow(random, 4000),
      small_shard_tokens: randomBelow(random, 2) * 256,
      comm: { 2: row(), 3: row(), 4: row() } as unknown as Problem["cost"]["comm"],
    },
    policy: "auto",
    degrees,
    objective: "free",
    iterations: 0,
    time_budget_ms: 0,
    seed: 0,
  };
}

/** One micro-batch as a mixed-integer program, straight from the contract's words; its optimum in us. */
function milp({ problem, levels, size, capacity }: Workload): string {
  const terms: string[] = [];
  const binary: string[] = [];
  const groups = levels.flatMap(({ degree }, n) =>
    Array.from({ length: size / degree }, (_, g) => ({ n, g, first: g * degree, degree })),
  );
  const x = (k: number, n: number, g: number) => `x_${k}_${n}_${g}`;
  const keys = problem.lengths.map((_, k) => k);
  for (const k of keys) {
    terms.push(`${groups.map(({ n, g }) => x(k, n, g)).join(" + ")} = 1`);
    binary.push(...groups.map(({ n, g }) => x(k, n, g)));
  }
  for (const { n, g, degree } of groups.filter((group) => group.n > 0)) {
    const [floor, intercept, slope] = problem.cost.comm[degree] ?? [0, 0, 0];
    const volume = keys
      .map((k) => ` - ${slope * (problem.lengths[k] ?? 0)} ${x(k, n, g)}`)
      .join("");
    binary.push(`z_${n}_${g}`);
    for (const k of keys) terms.push(`z_${n}_${g} - ${x(k, n, g)} >= 0`);
    terms.push(`c_${n}_${g} - ${floor} z_${n}_${g} >= 0`);
    terms.push(`c_${n}_${g} - ${intercept} z_${n}_${g}${volume} >= 0`);
  }
  for (let rank = 0; rank < size; rank += 1) {
    const here = groups.filter(({ first, degree }) => rank >= first && rank < first + degree);
    const sum = (kind: "work" | "units", some: typeof here) =>
      some.flatMap(({ n, g }) => keys.map((k) => `${levels[n]?.[kind][k]} ${x(k, n, g)}`));
    const sharded = here.filter(({ n }) => n > 0);
    const minus = (list: readonly string[]) => list.map((term) => ` - ${term}`).join("");
    terms.push(`T${minus(sum("work", here))} >= 0`);
    const waits = sharded.map(({ n, g }) => `1 c_${n}_${g}`);
    terms.push(`T${minus(sum("work", sharded))}${minus(waits)} >= 0`);
    terms.push(`${sum("units", here).join(" + ")} <= ${capacity}`);
  }
  return `Minimize\n obj: T\nSubject To\n ${terms.join("\n ")}\nBinary\n ${binary.join("\n ")}\nEnd`;
}

describe("the exhaustive search of a cell", () => {
  it("agrees with HiGHS on 80 random micro-batches", async () => {
    // Its types describe the CommonJS module; what is imported is the function itself.
    const highs = await (loadHighs as unknown as typeof loadHighs.default)();
    const random = random32(11, 0);
    let compared = 0;
    let improved = 0;
    for (let n = 0; n < 80; n += 1) {
      const problem = smallProblem(random, 2 + randomBelow(random, 11), 1);
      const workload = workloadOf(problem);
      const start = solveCell(longestFirst(problem.lengths), workload, new Placer(workload));
      if (!start) continue;
      const exact = exactCell(start, workload);
      const solution = highs.solve(milp(workload), { mip_rel_gap: 1e-9, output_flag: false });
      const { fixed, least } = problem.cost;
      const optimum = Math.max(least, solution.ObjectiveValue) + fixed;
      expect(solution.Status).toBe("Optimal");
      expect(Math.abs(exact.time - optimum) / optimum).toBeLessThan(1e-6);
      compared += 1;
      if (exact.time < start.time * (1 - 1e-9)) improved += 1;
    }
    expect(compared).toBeGreaterThan(50);
    // Else it would not be needed.
    expect(improved).toBeGreaterThan(0);
  }, 120_000);
});

/** The best whole schedule by dynamic programming over subsets: cells, then rows. Free time, us. */
function optimum(problem: Problem): number {
  const count = problem.lengths.length;
  const full = 2 ** count - 1;
  const workload = workloadOf(problem);
  const cell = new Array<number>(full + 1).fill(0);
  const row = new Array<number>(full + 1).fill(0);
  for (let mask = 1; mask <= full; mask += 1) cell[mask] = cellOptimum(mask, workload);
  for (let mask = 1; mask <= full; mask += 1) {
    let best = cell[mask] ?? 0;
    for (let part = (mask - 1) & mask; part > 0; part = (part - 1) & mask) {
      best = Math.min(best, (cell[part] ?? 0) + (row[mask ^ part] ?? 0));
    }
    row[mask] = best;
  }
  let slowest = row;
  for (let rank = 1; rank < problem.data_parallel; rank += 1) {
    slowest = slowest.map((_, mask) => {
      let best = row[mask] ?? 0;
      for (let part = mask; part > 0; part = (part - 1) & mask) {
        best = Math.min(best, Math.max(row[part] ?? 0, slowest[mask ^ part] ?? 0));
      }
      return best;
    });
  }
  return slowest[full] ?? 0;
}

function cellOptimum(mask: number, workload: Workload): number {
  const members = workload.order.filter((sequence) => (mask >> sequence) & 1);
  const start = solveCell(members, workload, new Placer(workload));
  return start ? exactCell(start, workload).time : Number.POSITIVE_INFINITY;
}

describe("refined schedules of small problems", () => {
  it("are within 0.1% of the optimum on average, and 2% at worst", () => {
    const random = random32(12, 0);
    const gaps: number[] = [];
    for (let n = 0; n < 40; n += 1) {
      const problem = smallProblem(random, 4 + randomBelow(random, 5), 2);
      const solution = solve({ ...problem, iterations: 50_000 });
      if (!solution.ok) continue;
      const best = optimum(problem);
      const { iteration_time: time, lower_bound: bound } = solution.schedule;
      // Where the search found no cell, the reference has none either and proves nothing.
      expect(time).toBeGreaterThanOrEqual(best * (1 - 1e-9));
      expect(bound).toBeLessThanOrEqual(best * (1 + 1e-9));
      gaps.push(time / best - 1);
    }
    expect(gaps.length).toBeGreaterThan(30);
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeLessThan(0.001);
    expect(Math.max(...gaps)).toBeLessThan(0.02);
  }, 120_000);
});
