import { describe, expect, it } from "vitest";
import { construct, LITTLE } from "../../src/schedule/construct/construct.js";
import { lowerBound } from "../../src/schedule/lower-bound.js";
import { parseProblem } from "../../src/schedule/parse-problem.js";
import { Infeasible, type Problem } from "../../src/schedule/problem.js";
import { assignmentOf, rowsTime } from "../../src/schedule/rows.js";
import { toMicroBatches } from "../../src/schedule/schedule.js";
import { anneal } from "../../src/schedule/search/anneal.js";
import { exponential } from "../../src/schedule/search/exponential.js";
import { solve } from "../../src/schedule/solve.js";
import { verifySchedule } from "../../src/schedule/verify.js";
import { workloadOf } from "../../src/schedule/workload.js";
import { randomProblem } from "./random-problem.js";

const upTo = (most: number) => (moves: number) => moves / most;

/** Random problems under `auto` that have a schedule. */
function* problems(stream: number, count: number): Generator<Problem> {
  for (let n = 0; n < count; n += 1) {
    const problem: Problem = { ...randomProblem(stream, n), policy: "auto", iterations: 0 };
    if (problem.lengths.length > 0 && solve(problem).ok) yield problem;
  }
}

function timeOf(problem: Problem): number {
  const solution = solve(problem);
  if (!solution.ok) throw new Infeasible(solution.error);
  return solution.schedule.iteration_time;
}

describe("annealing", () => {
  it("returns a sound schedule that is no worse than its start, and often better", () => {
    let better = 0;
    let looked = 0;
    for (const problem of problems(81, 120)) {
      const workload = workloadOf(problem);
      const start = construct(workload, LITTLE);
      if (start.flat().length === 0) continue;
      const found = anneal(start, workload, lowerBound(problem), 0, upTo(2000));
      const [before, after] = [rowsTime(start, workload), rowsTime(found, workload)];
      expect(after).toBeLessThanOrEqual(before);
      expect(verifySchedule(problem, toMicroBatches(assignmentOf(found, workload)))).toEqual([]);
      if (after < before) better += 1;
      looked += 1;
    }
    expect(looked).toBeGreaterThan(40);
    expect(better).toBeGreaterThan(looked / 4);
  });

  it("repeats exactly, and another stream finds another way", () => {
    const lengths = Array.from({ length: 60 }, (_, n) => 20 + ((n * n * 37) % 390));
    const cost = {
      ...{ a1: 10, a2: 0.01, fixed: 100, least: 0, small_shard_tokens: 0 },
      comm: { 2: [300, 0, 1], 4: [400, 0, 1] } as const,
    };
    const shape = { data_parallel: 2, context_parallel: 4, bucket: 400 };
    const degrees = "powers-of-two";
    const objective = "lockstep";
    const workload = workloadOf({
      ...randomProblem(82, 3),
      lengths,
      cost,
      ...shape,
      degrees,
      objective,
    });
    const start = construct(workload, LITTLE);
    const run = (stream: number) => anneal(start, workload, 0, stream, upTo(500));
    expect(run(0)).toEqual(run(0));
    expect(JSON.stringify(run(0))).not.toBe(JSON.stringify(run(1)));
  });

  it("ends at the bound without a move", () => {
    for (const problem of problems(83, 10)) {
      const workload = workloadOf(problem);
      const start = construct(workload, LITTLE);
      const never = () => {
        throw new Error("nothing is left to find");
      };
      expect(anneal(start, workload, rowsTime(start, workload), 0, never)).toBe(start);
    }
  });
});

describe("a search by moves", () => {
  it("is never worse with more of them, nor in a wider class", () => {
    let looked = 0;
    const classes = ["local-or-all", "powers-of-two", "pool"] as const;
    for (const [n, random] of [...problems(84, 80)].entries()) {
      const problem: Problem = { ...random, objective: "lockstep" };
      const fits = classes.filter(
        (degrees) => parseProblem({ ...problem, degrees }).ok && solve({ ...problem, degrees }).ok,
      );
      const most = 100 + 97 * n;
      let narrower = Number.POSITIVE_INFINITY;
      for (const degrees of fits) {
        const few = timeOf({ ...problem, degrees, iterations: most });
        const many = timeOf({ ...problem, degrees, iterations: 2 * most + 13 });
        expect(many).toBeLessThanOrEqual(few);
        expect(few).toBeLessThanOrEqual(narrower);
        narrower = few;
        looked += 1;
      }
    }
    expect(looked).toBeGreaterThan(60);
  }, 120_000);
});

it("draws exponentially distributed numbers by the four operations alone", () => {
  const draws = Array.from({ length: 1024 }, (_, n) => exponential(n));
  for (const [n, value] of draws.entries())
    expect(value).toBeCloseTo(-Math.log((n + 0.5) / 1024), 12);
  expect(exponential(1024 + 5)).toBe(exponential(5));
});
