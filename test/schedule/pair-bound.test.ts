import { describe, expect, it } from "vitest";
import { lowerBound } from "../../src/schedule/lower-bound.js";
import { pairBound } from "../../src/schedule/pair-bound.js";
import type { Problem } from "../../src/schedule/problem.js";
import { solve } from "../../src/schedule/solve.js";
import { workloadOf } from "../../src/schedule/workload.js";
import { randomProblem } from "./random-problem.js";

/** A sequence of S tokens takes 10 S us, shared by its group; communication takes 1000 us at any degree. */
const PROBLEM: Problem = {
  format_version: 1,
  lengths: [400, 400],
  data_parallel: 2,
  context_parallel: 2,
  bucket: 1000,
  padding: "exact",
  cost: {
    ...{ a1: 10, a2: 0, fixed: 100, least: 0, small_shard_tokens: 0 },
    comm: { 2: [1000, 0, 0], 4: [1000, 0, 0] },
  },
  policy: "auto",
  degrees: "powers-of-two",
  objective: "lockstep",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};
const boundOf = (change: Partial<Problem>) => pairBound(workloadOf({ ...PROBLEM, ...change }));

describe("the bound of two sequences", () => {
  it("is the least of one after the other, side by side and on common ranks", () => {
    // Side by side on two ranks each: 2000 us and 1000 us to communicate.
    expect(boundOf({})).toBe(2000 + 1000 + 100);
    // With one group of two, local beside each other takes 4000, both sharded 4000 + 1000.
    expect(boundOf({ data_parallel: 1 })).toBe(4000 + 100);
    // A rank has room for 250: both need both ranks, and together they do not fit.
    expect(boundOf({ data_parallel: 1, bucket: 250 })).toBe(2 * (2000 + 1000 + 100));
    // Room for both on the same group, which communicates once.
    expect(boundOf({ data_parallel: 1, bucket: 250, lengths: [300, 200] })).toBe(
      1500 + 1000 + 1000 + 100,
    );
  });

  it("hides a local sequence behind the communication of one that is sharded", () => {
    const lengths = [900, 90];
    const alone = 10 * 450 + 1000;
    expect(boundOf({ data_parallel: 1, lengths, bucket: 600 })).toBe(alone + 100);
  });

  it("is of no use for ranks that do not wait for each other", () => {
    const free: Problem = { ...PROBLEM, objective: "free", bucket: 250, lengths: [400, 400] };
    expect(lowerBound(free)).toBeLessThanOrEqual(2000 + 1000 + 100);
  });

  it("is below every schedule that is found", () => {
    let tight = 0;
    for (let n = 0; n < 400; n += 1) {
      const { lengths, ...rest } = randomProblem(91, n);
      const problem: Problem = {
        ...rest,
        lengths: lengths.slice(0, 4),
        policy: "auto",
        objective: "lockstep",
        iterations: 300,
      };
      const solution = solve(problem);
      if (!solution.ok || problem.lengths.length < 2) continue;
      const bound = pairBound(workloadOf(problem));
      expect(bound).toBeLessThanOrEqual(solution.schedule.iteration_time * (1 + 1e-12));
      if (bound > solution.schedule.iteration_time * 0.999) tight += 1;
    }
    expect(tight).toBeGreaterThan(20);
  });
});
