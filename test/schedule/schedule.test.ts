import { describe, expect, it } from "vitest";
import { answerProblem } from "../../src/schedule/answer.js";
import { lowerBound } from "../../src/schedule/lower-bound.js";
import { parseProblem } from "../../src/schedule/parse-problem.js";
import type { Policy, Problem } from "../../src/schedule/problem.js";
import { solve } from "../../src/schedule/solve.js";
import { verifySchedule } from "../../src/schedule/verify.js";
import vectors from "../vectors/schedule.json" with { type: "json" };
import { naiveIterationTime } from "./naive.js";
import { randomProblem } from "./random-problem.js";

const RANDOM = Array.from({ length: 1500 }, (_, n) => randomProblem(2, n));

describe("the shared vectors", () => {
  for (const { name, problem, answer } of vectors) {
    it(name, () => expect(answerProblem(problem)).toEqual(answer));
  }
});

describe("every schedule of every policy", () => {
  const solved = RANDOM.flatMap((problem) => {
    const solution = solve(problem);
    return solution.ok ? [{ problem, schedule: solution.schedule }] : [];
  });

  it("is found for most random problems", () => {
    expect(solved.length).toBeGreaterThan(RANDOM.length * 0.8);
  });

  it("places each sequence once, on an aligned group, within padded memory", () => {
    for (const { problem, schedule } of solved) {
      expect(verifySchedule(problem, schedule.micro_batches)).toEqual([]);
    }
  });

  it("takes the time that the contract's words give", () => {
    for (const { problem, schedule } of solved) {
      const naive = naiveIterationTime(schedule.micro_batches, problem);
      expect(Math.abs(schedule.iteration_time - naive)).toBeLessThanOrEqual(1e-9 * (1 + naive));
    }
  });

  it("is never below the lower bound, which rounding alone may touch", () => {
    for (const { problem, schedule } of solved) {
      expect(lowerBound(problem)).toBeLessThanOrEqual(schedule.iteration_time * (1 + 1e-12));
    }
  });
});

describe("auto", () => {
  const timeOf = (problem: Problem): number | undefined => {
    const solution = solve(problem);
    return solution.ok ? solution.schedule.iteration_time : undefined;
  };

  it("is never worse than its floors, nor fails where one succeeds", () => {
    for (const problem of RANDOM.slice(0, 800)) {
      const best = timeOf({ ...problem, policy: "auto" });
      for (const policy of ["deepspeed", "packed", "sorted"] satisfies Policy[]) {
        const one = timeOf({ ...problem, policy });
        if (one !== undefined) expect(best).toBeLessThanOrEqual(one);
      }
    }
  });

  it("is rarely worse than the paper's policies, and then by little", () => {
    let worse = 0;
    let compared = 0;
    for (const problem of RANDOM.slice(0, 800)) {
      const best = timeOf({ ...problem, policy: "auto" });
      for (const policy of ["dacp", "round-robin", "skrull-paper"] satisfies Policy[]) {
        const one = timeOf({ ...problem, policy });
        if (one === undefined || best === undefined) continue;
        compared += 1;
        if (best > one) worse += 1;
        expect(best).toBeLessThanOrEqual(1.1 * one);
      }
    }
    expect(compared).toBeGreaterThan(1000);
    expect(worse).toBeLessThan(compared / 100);
  });

  it("is never worse than in a narrower class of degrees", () => {
    for (const problem of RANDOM.filter(({ degrees }) => degrees === "pool").slice(0, 300)) {
      const times = (["local-or-all", "powers-of-two", "pool"] as const).map((degrees) =>
        timeOf({ ...problem, policy: "auto", objective: "lockstep", degrees }),
      );
      for (const [n, time] of times.entries()) {
        const narrower = times[n - 1];
        if (narrower !== undefined) expect(time).toBeLessThanOrEqual(narrower);
      }
    }
  });
});

describe("the checker", () => {
  const problem: Problem = {
    ...randomProblem(1, 1),
    degrees: "local-or-all",
    lengths: [10, 20],
    bucket: 25,
  };
  const small: Problem = {
    ...problem,
    data_parallel: 2,
    context_parallel: 2,
    padding: "zigzag",
    cost: { ...problem.cost, comm: { 2: [1, 1, 1] } },
  };
  const place = (sequence: number, first_rank: number, degree: number) => ({
    sequence,
    first_rank,
    degree,
  });
  const check = (...placements: ReturnType<typeof place>[]) =>
    verifySchedule(small, [{ index: 0, placements }]).join("; ");

  it("accepts a sound schedule", () => expect(check(place(0, 0, 2), place(1, 3, 1))).toBe(""));
  it("finds a missing sequence", () =>
    expect(check(place(0, 0, 1))).toMatch(/sequence 1 is placed 0/));
  it("finds a repeated one", () =>
    expect(check(place(0, 0, 1), place(0, 1, 1), place(1, 2, 1))).toMatch(
      /sequence 0 is placed 2/,
    ));
  it("finds a group that is not aligned", () =>
    expect(check(place(0, 1, 2), place(1, 0, 1))).toMatch(/not aligned/));
  it("finds a degree outside the class", () =>
    expect(check(place(0, 0, 4), place(1, 0, 1))).toMatch(/not permitted/));
  it("finds an overfull rank", () =>
    expect(check(place(0, 0, 1), place(1, 0, 1))).toMatch(/over its bucket/));
});

describe("hard cases of the paper's heuristic", () => {
  const paper = (lengths: readonly number[], bucket: number, context: number): Problem => ({
    ...randomProblem(1, 1),
    lengths,
    bucket,
    data_parallel: 1,
    context_parallel: context,
    padding: "exact",
    degrees: "local-or-all",
    policy: "skrull-paper",
    cost: {
      a1: 1,
      a2: 0.001,
      fixed: 10,
      least: 0,
      small_shard_tokens: 0,
      comm: { [context]: [1, 1, 0.1] },
    },
  });

  it("rolls back a local sequence to make room for a long one", () => {
    const solution = solve(paper([50, 60, 105], 110, 2));
    expect(solution.ok && solution.schedule.micro_batches).toHaveLength(1);
    const degrees = solution.ok
      ? solution.schedule.micro_batches[0]?.placements.map((p) => p.degree)
      : [];
    expect(degrees).toEqual([2, 2, 2]);
  });

  it("distributes nothing while memory allows", () => {
    const solution = solve(paper([10, 20, 30, 40], 100, 2));
    const placements = solution.ok
      ? solution.schedule.micro_batches.flatMap((m) => m.placements)
      : [];
    expect(placements.every((p) => p.degree === 1)).toBe(true);
  });
});

describe("what is no problem", () => {
  const base = {
    format_version: 1,
    lengths: [1],
    data_parallel: 1,
    context_parallel: 1,
    bucket: 9,
  };
  const cost = { a1: 1, a2: 1, comm: {} };
  const cases: [string, unknown, string][] = [
    ["null", null, ""],
    ["a string", "x", ""],
    ["another version", { ...base, cost, format_version: 2 }, "/format_version"],
    ["a boolean length", { ...base, cost, lengths: [true] }, "/lengths/0"],
    ["an infinite cost", { ...base, cost: { ...cost, a1: Number.POSITIVE_INFINITY } }, "/cost/a1"],
    ["a NaN", { ...base, cost: { ...cost, a2: Number.NaN } }, "/cost/a2"],
    [
      "too many ranks",
      { ...base, cost, data_parallel: 65536, context_parallel: 2 },
      "/data_parallel",
    ],
    ["a negative length", { ...base, cost, lengths: [3, -1] }, "/lengths/1"],
    ["a length of no token", { ...base, cost, lengths: [0] }, "/lengths/0"],
    ["half a token", { ...base, cost, lengths: [1.5] }, "/lengths/0"],
    ["a length in words", { ...base, cost, lengths: ["1"] }, "/lengths/0"],
    ["lengths that are no list", { ...base, cost, lengths: { 0: 1 } }, "/lengths"],
    ["very many lengths", { ...base, cost, lengths: new Array(2 ** 20 + 1).fill(1) }, "/lengths"],
    ["a bucket of nothing", { ...base, cost, bucket: 0 }, "/bucket"],
    ["a cost without its table", { ...base, cost: { a1: 1, a2: 1 } }, "/cost/comm"],
    ["a cost below zero", { ...base, cost: { ...cost, fixed: -1 } }, "/cost/fixed"],
    ["a row too short", { ...base, cost: { ...cost, comm: { 2: [1, 2] } } }, "/cost/comm/2"],
    ["a degree of one", { ...base, cost: { ...cost, comm: { 1: [1, 2, 3] } } }, "/cost/comm/1"],
    [
      "three ranks in powers of two",
      { ...base, cost, context_parallel: 3, degrees: "pool" },
      "/context_parallel",
    ],
    ["an unknown policy", { ...base, cost, policy: "best" }, "/policy"],
    ["a slash in a key", { ...base, cost, "a/b": 1 }, "/a~1b"],
  ];
  for (const [name, json, path] of cases) {
    it(name, () => {
      const parsed = parseProblem(json);
      expect(parsed).toMatchObject({ ok: false, error: { code: "invalid-problem", path } });
    });
  }
});
