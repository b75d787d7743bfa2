import { describe, expect, it } from "vitest";
import { lowerBound } from "../../src/schedule/lower-bound.js";
import type { Problem } from "../../src/schedule/problem.js";
import { solve } from "../../src/schedule/solve.js";
import { waitingBound } from "../../src/schedule/waiting-bound.js";
import { randomProblem } from "./random-problem.js";

describe("the waiting bound", () => {
  it("is above no schedule, and often the best of all bounds", () => {
    let above = 0;
    let compared = 0;
    for (let n = 0; n < 1500; n += 1) {
      const own: Problem = { ...randomProblem(41, n), policy: "auto", degrees: "local-or-all" };
      const problem = { ...own, cost: { ...own.cost, least: 0 } };
      const solution = solve(problem);
      if (!solution.ok) continue;
      const bound = waitingBound(problem);
      expect(bound).toBeLessThanOrEqual(solution.schedule.iteration_time * (1 + 1e-9));
      compared += 1;
      expect(lowerBound(problem)).toBeGreaterThanOrEqual(bound);
      if (bound >= lowerBound({ ...problem, degrees: "powers-of-two" }) * 1.001) above += 1;
    }
    expect(compared).toBeGreaterThan(1000);
    expect(above).toBeGreaterThan(compared / 20);
  });

  it("counts what a local sequence keeps the others waiting", () => {
    // Local, 80 tokens leave 2 x 20 for others, which communicate for 10 + 40 at most: a wait of 800 - 50.
    // Sharded, it takes 400, 80 for its tokens and, as 40 of the 100 that a rank holds, that share of the start-up.
    const problem: Problem = {
      ...randomProblem(1, 1),
      lengths: [80],
      data_parallel: 1,
      context_parallel: 2,
      bucket: 100,
      padding: "exact",
      degrees: "local-or-all",
      cost: {
        ...{ a1: 10, a2: 0, fixed: 7, least: 0, small_shard_tokens: 0 },
        comm: { 2: [0, 10, 1] },
      },
    };
    expect(waitingBound(problem)).toBe(400 + 80 + 10 * (40 / 100) + 7);
    // With 30 us a token the others' 40 tokens hide the local work.
    const slow = { ...problem, cost: { ...problem.cost, comm: { 2: [0, 10, 30] as const } } };
    expect(waitingBound(slow as unknown as Problem)).toBe(7);
  });
});
