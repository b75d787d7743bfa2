import { describe, expect, it } from "vitest";
import { performanceOf, type Solved, spread } from "../../src/plan/performance.js";
import type { Problem } from "../../src/schedule/problem.js";
import type { Placement, Schedule } from "../../src/schedule/schedule.js";

const PROBLEM: Problem = {
  format_version: 1,
  lengths: [100, 300],
  data_parallel: 1,
  context_parallel: 2,
  bucket: 1000,
  padding: "exact",
  cost: {
    a1: 1000,
    a2: 0,
    fixed: 5000,
    least: 0,
    small_shard_tokens: 0,
    comm: { 2: [7000, 0, 0] },
  },
  policy: "auto",
  degrees: "local-or-all",
  objective: "free",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};

function solved(placements: readonly Placement[][], time: number, gap: number): Solved {
  const schedule: Schedule = {
    ...{ format_version: 1, policy: "auto", degrees: "local-or-all", objective: "free" },
    micro_batches: placements.map((own, index) => ({ index, placements: own })),
    ...{ iteration_time: time, lower_bound: 0, gap },
  };
  return { problem: PROBLEM, schedule };
}

const place = (sequence: number, first_rank: number, degree: number): Placement => ({
  sequence,
  first_rank,
  degree,
});
/** Each sequence on a rank of its own: 300,000 us, and 200,000 of waiting on one of two ranks. */
const SIDE_BY_SIDE = solved([[place(0, 0, 1), place(1, 1, 1)]], 305_000, 0.1);
/** One after the other: 100,000 on a rank alone, then 300,000 over both and 7,000 of communication. */
const IN_TURN = solved([[place(0, 0, 1)], [place(1, 0, 2)]], 105_000 + 162_000, 0.3);

describe("a spread", () => {
  it("has the 95th percentile, not the 90th", () => {
    const values = Array.from({ length: 20 }, (_, n) => 20 - n);
    expect(spread(values)).toEqual({ mean: 10.5, p50: 10, p95: 19, worst: 20 });
  });
});

describe("the performance of schedules", () => {
  const performance = performanceOf([SIDE_BY_SIDE, IN_TURN], 2);

  it("is of their times and what comes once a step", () => {
    expect(performance.step_seconds.mean).toBeCloseTo((2.305 + 2.267) / 2, 12);
    expect(performance.step_seconds.p50).toBeCloseTo(2.267, 12);
    expect(performance.step_seconds.worst).toBeCloseTo(2.305, 12);
    expect(performance.tokens_per_second).toBeCloseTo(800 / (2.305 + 2.267), 9);
    expect(performance.gap).toBeCloseTo(0.2, 12);
    expect(performance.micro_batches).toMatchObject({ mean: 1.5, worst: 2 });
  });

  it("adds up to the mean step, by what it goes to", () => {
    const { work, communication, fixed, waiting, step } = performance.parts;
    // Of the average rank: 200,000 and 50,000 + 150,000.
    expect(work).toBeCloseTo(0.2, 9);
    expect(communication).toBeCloseTo(0.007 / 2, 9);
    expect(fixed).toBeCloseTo((0.005 + 0.01) / 2, 9);
    expect(waiting).toBeCloseTo((0.1 + 0.05) / 2, 9);
    expect(step).toBe(2);
  });

  it("has shares of tokens by degree, ascending", () => {
    const reversed = performanceOf([IN_TURN, SIDE_BY_SIDE].reverse(), 0);
    expect(reversed.degrees).toEqual([
      { degree: 1, sequences: 3, tokens: 500 / 800 },
      { degree: 2, sequences: 1, tokens: 300 / 800 },
    ]);
    const sharded = solved([[place(0, 0, 2), place(1, 0, 1)]], 1, 0);
    expect(performanceOf([sharded], 0).degrees.map(({ degree }) => degree)).toEqual([1, 2]);
  });
});
