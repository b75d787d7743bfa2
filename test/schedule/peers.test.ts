import { describe, expect, it } from "vitest";
import { random32, randomBelow } from "../../src/foundation/random.js";
import { differencing } from "../../src/schedule/peers/differencing.js";
import { PEER_NAMES, type Peer, solveByPeer } from "../../src/schedule/peers/index.js";
import { balancedRuns } from "../../src/schedule/peers/runs.js";
import type { DegreeClass, Problem } from "../../src/schedule/problem.js";
import type { Placement } from "../../src/schedule/schedule.js";
import { solve } from "../../src/schedule/solve.js";
import { verifySchedule } from "../../src/schedule/verify.js";
import { naiveIterationTime } from "./naive.js";
import { randomProblem } from "./random-problem.js";

describe("every peer, on random problems", () => {
  const problems = Array.from({ length: 600 }, (_, n) => randomProblem(31, n));

  for (const peer of PEER_NAMES) {
    const solved = problems.flatMap((problem) => {
      const solution = solveByPeer(peer, problem);
      return solution.ok ? [{ problem, schedule: solution.schedule }] : [];
    });

    it(`${peer} finds sound schedules, of the time that the contract's words give`, () => {
      expect(solved.length).toBeGreaterThan(problems.length * 0.6);
      for (const { problem, schedule } of solved) {
        expect(verifySchedule(problem, schedule.micro_batches)).toEqual([]);
        const naive = naiveIterationTime(schedule.micro_batches, problem);
        expect(Math.abs(schedule.iteration_time - naive)).toBeLessThanOrEqual(1e-9 * (1 + naive));
        expect(schedule.lower_bound).toBeLessThanOrEqual(schedule.iteration_time);
      }
    });

    it(`${peer} gives the same again, and to the same problem made anew`, () => {
      for (const { problem, schedule } of solved.slice(0, 60)) {
        const again = solveByPeer(peer, structuredClone(problem));
        expect(again).toEqual({ ok: true, schedule });
      }
    });

    it(`${peer} fails only where it must`, () => {
      for (const problem of problems) {
        const solution = solveByPeer(peer, problem);
        if (solution.ok) continue;
        // All but one shard over the context-parallel group, which `packed` does too.
        const same =
          peer === "megatron-hybrid" ? problem : { ...problem, policy: "packed" as const };
        const reference = solve({
          ...same,
          policy: peer === "megatron-hybrid" ? "auto" : "packed",
        });
        expect(reference.ok).toBe(false);
      }
    });
  }
});

describe("the largest differencing method", () => {
  it("leaves a difference of 2 of 8, 7, 6, 5, 4", () => {
    // 8 - 7, 6 - 5, 4 - 1, 3 - 1
    expect(sums([8, 7, 6, 5, 4], 2)).toEqual([16, 14]);
  });

  it("makes 11, 11, 8 of them in three parts", () => {
    // (8, 7, 0) + (0, 0, 6), (5, 4, 0), then 8 + 0, 7 + 4, 6 + 5
    expect(differencing([8, 7, 6, 5, 4], 3)).toEqual([[1, 4], [2, 3], [0]]);
  });

  it("gives parts equal counts where it is asked to", () => {
    // Neighbours: (10, 9) and (1, 1); without: 10 against 9, 1 and 1.
    expect(differencing([10, 9, 1, 1], 2, true).map((part) => part.length)).toEqual([2, 2]);
    expect(sums([10, 9, 1, 1], 2)).toEqual([11, 10]);
    expect(sums([100, 1, 1, 1], 2)).toEqual([100, 3]);
  });

  it("places each value once, in at most as many parts", () => {
    const random = random32(5, 0);
    for (let n = 0; n < 200; n += 1) {
      const values = Array.from({ length: randomBelow(random, 40) }, () => randomBelow(random, 99));
      const count = 1 + randomBelow(random, 9);
      const parts = differencing(values, count, randomBelow(random, 2) === 0);
      expect(parts.length).toBeLessThanOrEqual(count);
      expect(parts.flat().sort((a, b) => a - b)).toEqual([...values.keys()]);
    }
  });

  it("takes 20,000 values without running deep", () => {
    const parts = differencing(new Array<number>(20_000).fill(7), 3);
    expect(parts.map((part) => part.length)).toEqual([6667, 6667, 6666]);
  });

  const sums = (values: readonly number[], parts: number) =>
    differencing(values, parts)
      .map((part) => part.reduce((sum, at) => sum + (values[at] ?? 0), 0))
      .sort((a, b) => b - a);
});

describe("runs of equal padded cost", () => {
  const counts = (lengths: readonly number[], runs: number, capacity = 1e9) =>
    balancedRuns({ lengths, units: lengths, capacity }, runs, 1);

  it("give the long ones fewer samples", () => {
    // 1,000 tokens cost 2,000, 100 cost 110: one long sample against the nine short ones.
    expect(counts([1000, ...new Array<number>(9).fill(100)], 2)).toEqual([1, 9]);
  });

  it("go on with the others once a run of one sample cannot give", () => {
    // The first is far too long; the other two runs share the rest: 4 x 110 and 4 x 110.
    expect(counts([9000, ...new Array<number>(8).fill(100)], 3)).toEqual([1, 4, 4]);
  });

  it("hold no more than memory allows, although that is cheaper", () => {
    // Without a limit the short ones would all be one run.
    const lengths = [1000, ...new Array<number>(9).fill(100), 50];
    expect(counts(lengths, 3)).toEqual([1, 5, 5]);
    expect(counts([1000, 900, ...new Array<number>(9).fill(100)], 3, 1000)).toEqual([1, 1, 9]);
    expect(counts([700, 300, 200, 100, 100], 2, 700)).toEqual([1, 4]);
  });
});

const SMALL: Problem = {
  format_version: 1,
  lengths: [],
  data_parallel: 1,
  context_parallel: 4,
  bucket: 100,
  padding: "exact",
  cost: {
    a1: 1,
    a2: 0.01,
    fixed: 10,
    least: 0,
    small_shard_tokens: 0,
    comm: { 2: [1, 1, 0.01], 4: [1, 1, 0.01] },
  },
  policy: "auto",
  degrees: "powers-of-two",
  objective: "lockstep",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};

/** Micro-batches of a peer, each as `sequence: first rank + degree`. */
function schedule(peer: Peer, problem: Partial<Problem>) {
  const solution = solveByPeer(peer, { ...SMALL, ...problem });
  if (!solution.ok) throw new Error(solution.error.message);
  const text = ({ sequence, first_rank: first, degree }: Placement) =>
    `${sequence}: ${first} + ${degree}`;
  return solution.schedule.micro_batches.map(({ placements }) =>
    placements
      .toSorted((a, b) => a.sequence - b.sequence)
      .map(text)
      .join(", "),
  );
}

describe("megatron-hybrid", () => {
  it("gives each the smallest group that holds it, and widens groups until no rank is idle", () => {
    // 150 tokens need two ranks; 90 and 80 one each.
    expect(schedule("megatron-hybrid", { lengths: [150, 90, 80] })).toEqual([
      "0: 0 + 2, 1: 2 + 1, 2: 3 + 1",
    ]);
    // Without the third there is a rank to spare, which the second's group takes.
    expect(schedule("megatron-hybrid", { lengths: [150, 90] })).toEqual(["0: 0 + 2, 1: 2 + 2"]);
    expect(schedule("megatron-hybrid", { lengths: [90] })).toEqual(["0: 0 + 4"]);
  });

  it("leaves to the next micro-batch what would make a rank slower than its longest sequence may", () => {
    // At most 80 x 100 x 1.05 = 8,400 a rank, and 100 tokens: four of five ranks' worth.
    const lengths = [80, 80, 80, 80, 80];
    expect(schedule("megatron-hybrid", { lengths })).toEqual([
      "0: 0 + 1, 1: 1 + 1, 2: 2 + 1, 3: 3 + 1",
      "4: 0 + 4",
    ]);
  });

  it("keeps to the groups of the class", () => {
    const groups = (degrees: DegreeClass) =>
      schedule("megatron-hybrid", {
        lengths: [150, 60],
        degrees,
        data_parallel: 2,
        cost: { ...SMALL.cost, comm: { ...SMALL.cost.comm, 8: [1, 1, 0.01] } },
      });
    expect(groups("local-or-all")).toEqual(["0: 0 + 4, 1: 4 + 4"]);
    expect(groups("powers-of-two")).toEqual(["0: 0 + 4, 1: 4 + 4"]);
    expect(groups("pool")).toEqual(["0: 0 + 4, 1: 4 + 4"]);
  });
});

describe("wlb", () => {
  it("puts a sequence where the work is least, and where that is full, where the tokens are fewest", () => {
    // Work is S + S^2 / 100: 1,200 against 600 + 504. The last would go to the second, which holds 380 of 400 tokens.
    const lengths = [300, 200, 180, 30];
    expect(schedule("wlb", { lengths, data_parallel: 2 })).toEqual([
      "0: 0 + 4, 1: 4 + 4, 2: 4 + 4, 3: 0 + 4",
    ]);
  });

  it("makes more micro-batches where one fits neither", () => {
    const lengths = [210, 210, 210, 210];
    expect(schedule("wlb", { lengths, data_parallel: 2 })).toHaveLength(2);
    expect(schedule("wlb", { lengths: [210, 210, 210], data_parallel: 1 })).toHaveLength(3);
  });
});

describe("karmarkar-karp", () => {
  it("balances work over ranks, then over each one's micro-batches, the heaviest first", () => {
    // Equal counts: (300, 200) and (100, 60) go crosswise to the two ranks; nothing needs a second micro-batch.
    expect(schedule("karmarkar-karp", { lengths: [300, 200, 100, 60], data_parallel: 2 })).toEqual([
      "0: 0 + 4, 1: 4 + 4, 2: 4 + 4, 3: 0 + 4",
    ]);
    // 500 tokens need two micro-batches of 400: 300 alone against 100 and 100.
    expect(schedule("karmarkar-karp", { lengths: [300, 100, 100] })).toEqual([
      "0: 0 + 4",
      "1: 0 + 4, 2: 0 + 4",
    ]);
  });
});

describe("batch-rebalance", () => {
  it("cuts the sorted batch into runs of equal padded cost", () => {
    // 300 tokens cost 390, nine times 40 cost 374.
    const lengths = [...new Array<number>(9).fill(40), 300];
    const short = lengths.slice(1).map((_, n) => `${n}: 4 + 4`);
    expect(schedule("batch-rebalance", { lengths, data_parallel: 2 })).toEqual([
      `${short.join(", ")}, 9: 0 + 4`,
    ]);
  });

  it("puts the dearest runs side by side", () => {
    // Runs of one, by cost: 390 and 380 tokens in the first micro-batch, 370 and 20 in the second.
    expect(schedule("batch-rebalance", { lengths: [20, 380, 390, 370], data_parallel: 2 })).toEqual(
      ["1: 4 + 4, 2: 0 + 4", "0: 4 + 4, 3: 0 + 4"],
    );
  });
});
