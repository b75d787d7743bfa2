import { describe, expect, it } from "vitest";
import { OBJECTIVE_WORDS } from "../../src/foundation/vocabularies.generated.js";
import { answerProblem } from "../../src/schedule/answer.js";
import { breakdown } from "../../src/schedule/breakdown.js";
import { DEGREE_CLASSES, POLICY_NAMES, type Problem } from "../../src/schedule/problem.js";
import { solve } from "../../src/schedule/solve.js";
import { verifySchedule } from "../../src/schedule/verify.js";
import { naiveIterationTime } from "./naive.js";
import { randomProblem } from "./random-problem.js";

const [BUCKET, CONTEXT, RANKS] = [1000, 4, 2] as const;
const WHOLE = BUCKET * CONTEXT;

const BASE: Problem = {
  format_version: 1,
  lengths: [],
  data_parallel: RANKS,
  context_parallel: CONTEXT,
  bucket: BUCKET,
  padding: "zigzag",
  cost: {
    a1: 5,
    a2: 0.002,
    fixed: 700,
    least: 0,
    small_shard_tokens: 16,
    comm: { 2: [300, 200, 0.1], 4: [300, 400, 0.2], 8: [900, 1000, 0.5] },
  },
  policy: "auto",
  degrees: "local-or-all",
  objective: "free",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};

const variants = POLICY_NAMES.flatMap((policy) =>
  DEGREE_CLASSES.flatMap((degrees) =>
    OBJECTIVE_WORDS.flatMap((objective) =>
      (policy === "auto" ? [0, 40] : [0]).map((iterations) => ({
        ...BASE,
        policy,
        degrees,
        objective,
        iterations,
      })),
    ),
  ),
);

const BATCHES: readonly (readonly [string, readonly number[]])[] = [
  ["no sequence", []],
  ["one sequence", [17]],
  ["fewer sequences than ranks", [900, 3, 40]],
  ["fewer than data-parallel ranks", [1]],
  ["sequences all equal", new Array(40).fill(250)],
  ["a sequence that fills a whole micro-batch", [WHOLE, 5, 999, 1000, 1001]],
  ["several of those", [WHOLE, WHOLE, WHOLE, WHOLE, WHOLE]],
  ["ranks filled to the last token", new Array(2 * RANKS * CONTEXT).fill(BUCKET)],
  ["very many of one token", new Array(3000).fill(1)],
];

describe.each(BATCHES)("%s", (_, lengths) => {
  it("is scheduled soundly by every policy", () => {
    for (const variant of variants) {
      const problem = { ...variant, lengths };
      const solution = solve(problem);
      expect(solution.ok, JSON.stringify(problem)).toBe(true);
      if (!solution.ok) continue;
      const { schedule } = solution;
      expect(verifySchedule(problem, schedule.micro_batches)).toEqual([]);
      const naive = naiveIterationTime(schedule.micro_batches, problem);
      expect(Math.abs(schedule.iteration_time - naive)).toBeLessThanOrEqual(1e-9 * (1 + naive));
      expect(schedule.gap).toBeGreaterThanOrEqual(0);
      if (lengths.length === 0) expect(schedule).toMatchObject({ micro_batches: [], gap: 0 });
    }
  });
});

describe("a sequence of one token too many", () => {
  it("is named, whatever the policy", () => {
    for (const variant of variants.filter(({ degrees }) => degrees !== "pool")) {
      const answer = answerProblem({ ...variant, lengths: [5, WHOLE + 1, WHOLE + 2] });
      expect(answer).toMatchObject({ error: { code: "sequence-too-long", sequence: 1 } });
    }
  });

  it("fits a pool that has wider groups", () => {
    const solution = solve({ ...BASE, degrees: "pool", lengths: [WHOLE + 1, 5] });
    expect(solution).toMatchObject({ ok: true });
  });
});

describe("degrees without a cost", () => {
  const without = { ...BASE, cost: { ...BASE.cost, comm: {} } };

  it("are not used where sequences fit without them", () => {
    for (const degrees of DEGREE_CLASSES) {
      const solution = solve({ ...without, degrees, lengths: [900, 500, 3] });
      if (!solution.ok) throw new Error(solution.error.message);
      const used = solution.schedule.micro_batches.flatMap(({ placements }) => placements);
      expect(used.map(({ degree }) => degree)).toEqual([1, 1, 1]);
    }
  });

  it("are named where they are needed", () => {
    for (const variant of variants.filter(({ degrees }) => degrees !== "pool")) {
      const answer = answerProblem({ ...variant, cost: without.cost, lengths: [3, 3500] });
      expect(answer).toMatchObject({ error: { code: "degree-unavailable" } });
    }
  });
});

describe("with a budget of moves", () => {
  const problems = Array.from({ length: 150 }, (_, n) => randomProblem(77, n));
  const timeOf = (problem: Problem): number | undefined => {
    const solution = solve(problem);
    return solution.ok ? solution.schedule.iteration_time : undefined;
  };

  it("auto is never worse than any policy that finds a schedule, nor than construction", () => {
    for (const problem of problems) {
      const ours = timeOf({ ...problem, policy: "auto", iterations: 30 });
      for (const policy of POLICY_NAMES) {
        const theirs = timeOf({ ...problem, policy });
        if (theirs !== undefined) expect(ours).toBeLessThanOrEqual(theirs);
      }
    }
  });

  it("auto is never worse than in a narrower class", () => {
    for (const problem of problems.filter(({ degrees }) => degrees === "pool")) {
      const times = DEGREE_CLASSES.map((degrees) =>
        timeOf({ ...problem, policy: "auto", objective: "lockstep", degrees, iterations: 30 }),
      );
      for (const [n, time] of times.entries()) {
        const narrower = times[n - 1];
        if (narrower !== undefined) expect(time).toBeLessThanOrEqual(narrower);
      }
    }
  });

  it("gives the same schedule again", () => {
    for (const problem of problems.slice(0, 30)) {
      const searched = { ...problem, policy: "auto" as const, iterations: 50 };
      expect(answerProblem(searched)).toEqual(answerProblem({ ...searched }));
    }
  });
});

describe("the parts of a schedule's time", () => {
  it("add up to it, and none is negative", () => {
    for (let n = 0; n < 200; n += 1) {
      const problem = randomProblem(78, n);
      const solution = solve(problem);
      if (!solution.ok) continue;
      const { work, communication, fixed, stalled, waiting } = breakdown(
        solution.schedule,
        problem,
      );
      const parts = [work, communication, fixed, stalled, waiting];
      expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      const sum = work + communication + fixed + stalled + waiting;
      const { iteration_time: time } = solution.schedule;
      expect(Math.abs(sum - time)).toBeLessThanOrEqual(1e-9 * (1 + time));
    }
  });

  it("are those of a schedule small enough to do by hand", () => {
    // 1,000 tokens over all four ranks of the first data-parallel rank, 100 on one of the second's.
    const problem: Problem = { ...BASE, lengths: [1000, 100], padding: "exact" };
    const micro_batches = [
      {
        index: 0,
        placements: [
          { sequence: 0, first_rank: 0, degree: 4 },
          { sequence: 1, first_rank: 4, degree: 1 },
        ],
      },
    ];
    const longest = (5 * 1000 + 0.002 * 1000 ** 2) / 4 + 0.002 * 16 * 1000;
    const short = 5 * 100 + 0.002 * 100 ** 2 + 0.002 * 16 * 100;
    const time = longest + 600 + 700;
    const schedule = { iteration_time: time, micro_batches };
    const parts = breakdown({ ...schedule, ...HEAD }, problem);
    expect(parts.work).toBeCloseTo((4 * longest + short) / 8);
    expect(parts.communication).toBeCloseTo((4 * 600) / 8);
    expect(parts.fixed).toBeCloseTo(700);
    expect(parts.waiting).toBeCloseTo(time - (4 * longest + short) / 8 - 300 - 700);
  });
});

const HEAD = {
  format_version: 1,
  policy: "auto",
  degrees: "local-or-all",
  objective: "free",
  lower_bound: 0,
  gap: 0,
} as const;
