import { beforeEach, describe, expect, it, vi } from "vitest";
import { makeCell } from "../../src/schedule/cell/cell.js";
import { exactCell, isSmall } from "../../src/schedule/cell/exact.js";
import { bestBands } from "../../src/schedule/construct/bands.js";
import { construct, LITTLE, MUCH } from "../../src/schedule/construct/construct.js";
import { lowerBound } from "../../src/schedule/lower-bound.js";
import { auto } from "../../src/schedule/policies/auto.js";
import { deepspeedBatches } from "../../src/schedule/policies/deepspeed.js";
import { POLICIES } from "../../src/schedule/policies/index.js";
import { Infeasible, type Problem } from "../../src/schedule/problem.js";
import type { Rows } from "../../src/schedule/rows.js";
import { type Assignment, toMicroBatches } from "../../src/schedule/schedule.js";
import { anneal } from "../../src/schedule/search/anneal.js";
import type { Workload } from "../../src/schedule/workload.js";
import { naiveIterationTime } from "./naive.js";

// The parts of the portfolio are stood in for: what is tested is who is asked for what, and whose schedule is taken.
vi.mock("../../src/schedule/search/anneal.js", () => ({
  anneal: vi.fn(),
  isSmallBatch: () => false,
}));
vi.mock("../../src/schedule/construct/bands.js", () => ({ bestBands: vi.fn() }));
vi.mock("../../src/schedule/lower-bound.js", () => ({ lowerBound: vi.fn() }));
vi.mock("../../src/schedule/construct/construct.js", async (original) => {
  const actual = await original<typeof import("../../src/schedule/construct/construct.js")>();
  return { ...actual, construct: vi.fn() };
});
vi.mock("../../src/schedule/cell/exact.js", () => ({ exactCell: vi.fn(), isSmall: vi.fn() }));
vi.mock("../../src/schedule/policies/deepspeed.js", async (original) => {
  const actual = await original<typeof import("../../src/schedule/policies/deepspeed.js")>();
  return { ...actual, deepspeedBatches: vi.fn(actual.deepspeedBatches) };
});

/** A sequence of S tokens takes 10 S us, or 10 S / d over d ranks and 1000 us to communicate. */
const PROBLEM: Problem = {
  format_version: 1,
  lengths: [400, 100, 100, 400],
  data_parallel: 2,
  context_parallel: 2,
  bucket: 250,
  padding: "exact",
  cost: {
    ...{ a1: 10, a2: 0, fixed: 0, least: 0, small_shard_tokens: 0 },
    comm: { 2: [1000, 0, 0], 4: [1000, 0, 0] },
  },
  policy: "auto",
  degrees: "local-or-all",
  objective: "lockstep",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};
const SEARCHED: Problem = { ...PROBLEM, iterations: 10 };
const CLASSES = ["local-or-all", "powers-of-two", "pool"] as const;

/** Every sequence alone in a cell on all ranks of a row, in turn. */
function alone(workload: Workload, time?: number): Rows {
  const { levels, rows, problem } = workload;
  const cells = problem.lengths.map((_, sequence) => {
    const cell = makeCell([sequence], [levels.length - 1], [0], workload);
    return time === undefined ? cell : { ...cell, time };
  });
  return Array.from({ length: rows }, (_, row) => cells.filter((_cell, n) => n % rows === row));
}
/** Nothing that anyone would take. */
const hopeless = (workload: Workload): Rows => alone(workload, 1e9);
const timeOf = (assignment: Assignment, problem: Problem) =>
  naiveIterationTime(toMicroBatches(assignment), problem);

beforeEach(() => {
  vi.clearAllMocks();
  vi.mocked(anneal).mockImplementation((rows) => rows);
  vi.mocked(bestBands).mockReturnValue(undefined);
  vi.mocked(lowerBound).mockReturnValue(0);
  vi.mocked(construct).mockImplementation(hopeless);
  vi.mocked(isSmall).mockReturnValue(false);
  vi.mocked(exactCell).mockImplementation((cell) => cell);
});

describe("the floors", () => {
  it("are aligned: long ones run side by side", () => {
    // In the batch's order 400 runs beside 100 twice; a micro-batch has room for 500 tokens, so two of 400 are apart.
    const problem = { ...PROBLEM, bucket: 200 };
    const [first] = toMicroBatches(auto(problem));
    expect(first?.placements.map(({ sequence }) => sequence)).toEqual([0, 3]);
    expect(timeOf(auto(problem), problem)).toBe(2000 + 1000 + 500 + 1000);
  });

  it("are all considered", () => {
    const one = { ...PROBLEM, data_parallel: 1, bucket: 200 };
    // In order two micro-batches of 400 tokens, sorted three.
    const packed = { ...one, lengths: [300, 100, 350, 50] };
    expect(timeOf(auto(packed), packed)).toBe(4000 + 2 * 1000);
    // In order 200, 400 and the others; sorted two of 400.
    const sorted = { ...one, lengths: [200, 400, 100, 100] };
    expect(timeOf(auto(sorted), sorted)).toBe(4000 + 2 * 1000);
    // The second rank's two of 200 would be one micro-batch beside 300, and 200 is left.
    const cost = { ...PROBLEM.cost, comm: { 2: [0, 0, 0] } } as const;
    const apart: Problem = { ...PROBLEM, cost, bucket: 200, lengths: [300, 200, 200, 200] };
    expect(timeOf(auto(apart), apart)).toBe(1500 + 1000);
  });

  it("may fail, and then it is what is constructed", () => {
    const pool: Problem = { ...PROBLEM, degrees: "pool", lengths: [900, 10] };
    vi.mocked(construct).mockImplementation((workload) => alone(workload));
    expect(toMicroBatches(auto(pool))[0]?.placements).toEqual([
      { sequence: 0, first_rank: 0, degree: 4 },
    ]);
  });

  it("must not hide mistakes of their own", () => {
    vi.mocked(deepspeedBatches).mockImplementationOnce(() => {
      throw new TypeError("a mistake");
    });
    expect(() => auto(PROBLEM)).toThrow("a mistake");
  });
});

describe("what is constructed", () => {
  it("is of the problem's class and the narrower ones, in lockstep under pool", () => {
    for (const [n, degrees] of CLASSES.entries()) {
      vi.mocked(construct).mockClear();
      auto({ ...PROBLEM, degrees, objective: "free" });
      const asked = vi.mocked(construct).mock.calls.map(([{ problem }]) => problem);
      expect(asked.map((problem) => problem.degrees)).toEqual(CLASSES.slice(0, n + 1));
      const objective = degrees === "pool" ? "lockstep" : "free";
      for (const problem of asked) expect(problem.objective).toBe(objective);
    }
  });

  it("is without idle ranks, but for a pool", () => {
    auto({ ...PROBLEM, degrees: "pool", lengths: [100] });
    const ranks = vi.mocked(construct).mock.calls.map(([{ problem }]) => problem.data_parallel);
    expect(ranks).toEqual([1, 1, 2]);
    vi.mocked(construct).mockClear();
    auto({ ...PROBLEM, lengths: [100] });
    expect(vi.mocked(construct).mock.calls[0]?.[0].problem.data_parallel).toBe(1);
  });

  it("is taken where it is faster, not where it is as fast", () => {
    const problem: Problem = { ...PROBLEM, objective: "free", lengths: [400, 400] };
    const floor = JSON.stringify(auto(problem));
    for (const [factor, isTaken] of [
      [1, false],
      [0.99, true],
    ] as const) {
      vi.mocked(construct).mockImplementation((workload) =>
        alone(workload, factor * 3000).toReversed(),
      );
      expect(JSON.stringify(auto(problem)) !== floor).toBe(isTaken);
    }
  });

  it("is not of a class in which a sequence fits nowhere", () => {
    auto({ ...PROBLEM, degrees: "pool", lengths: [501, 10] });
    const asked = vi.mocked(construct).mock.calls.map(([{ problem }]) => problem.degrees);
    expect(asked).toEqual(["pool"]);
    vi.mocked(construct).mockClear();
    auto({ ...PROBLEM, degrees: "pool", lengths: [500, 10] });
    expect(construct).toHaveBeenCalledTimes(3);
  });

  it("is nothing where a sequence fits nowhere, which is said of the longest", () => {
    const without = { ...PROBLEM, cost: { ...PROBLEM.cost, comm: { 2: [1, 0, 0] } } } as const;
    const refused = () => auto({ ...without, degrees: "pool", lengths: [10, 501, 600] });
    expect(refused).toThrow(Infeasible);
    expect(refused).toThrow("sharded over 4 ranks");
    expect(construct).not.toHaveBeenCalled();
  });
});

describe("a search", () => {
  const searched = () => vi.mocked(anneal).mock.calls.map(([, { problem }]) => problem.degrees);

  it("is made for moves or with a clock, and else not at all", () => {
    auto(PROBLEM, () => 0);
    auto({ ...PROBLEM, time_budget_ms: 100 });
    expect(anneal).not.toHaveBeenCalled();
    auto(SEARCHED);
    expect(anneal).toHaveBeenCalledTimes(1);
    auto({ ...PROBLEM, time_budget_ms: 100 }, () => 0);
    expect(anneal).toHaveBeenCalledTimes(2);
  });

  it("by moves is made in every class, by the clock in the widest", () => {
    auto({ ...SEARCHED, degrees: "pool" });
    expect(searched()).toEqual(CLASSES);
    vi.mocked(anneal).mockClear();
    auto({ ...PROBLEM, degrees: "pool", time_budget_ms: 100 }, () => 0);
    expect(searched()).toEqual(["pool"]);
  });

  it("is not made where the bound is reached", () => {
    vi.mocked(lowerBound).mockReturnValue(1e9);
    auto(SEARCHED);
    auto({ ...PROBLEM, time_budget_ms: 100 }, () => 0);
    expect(anneal).not.toHaveBeenCalled();
  });

  it("by the clock constructs no more where much of the time is gone", () => {
    const efforts = (gone: number) => {
      vi.mocked(construct).mockClear();
      const times = [0];
      auto({ ...PROBLEM, time_budget_ms: 100 }, () => times.shift() ?? gone);
      return vi.mocked(construct).mock.calls.map(([, effort]) => effort);
    };
    expect(efforts(39)).toEqual([LITTLE, MUCH]);
    expect(efforts(40)).toEqual([LITTLE]);
  });

  it("begins with the best of all policies", () => {
    const others = ["dacp", "round-robin", "skrull-paper", "packed", "sorted"] as const;
    for (const lengths of [
      [240, 240, 10, 240, 100],
      [400, 20, 20, 20, 400, 90, 200],
    ]) {
      const problem = { ...SEARCHED, lengths };
      const best = timeOf(auto(problem), problem);
      const times = others.map((policy) => timeOf(POLICIES[policy](problem), problem));
      expect(best).toBeLessThanOrEqual(Math.min(...times));
      // Nobody shards what fits a rank whole but the floors.
      expect(best).toBeLessThan(timeOf(auto({ ...problem, iterations: 0 }), problem));
    }
  });

  it("begins in each class with what was constructed, in that class's cells, not with what a search found", () => {
    vi.mocked(anneal).mockImplementation((_rows, workload) => alone(workload, 1));
    auto({ ...SEARCHED, degrees: "pool" });
    for (const [rows, workload] of vi.mocked(anneal).mock.calls) {
      expect(rows).toHaveLength(workload.rows);
      const cells = rows.flat();
      const sequences = cells.flatMap((cell) => cell.sequences);
      expect(sequences.toSorted()).toEqual([0, 1, 2, 3]);
      expect(cells.every(({ time }) => time > 1)).toBe(true);
      // Groups of two, of which there are two beside each other in the machine's cell.
      expect(new Set(cells.flatMap((cell) => cell.firsts)).has(2)).toBe(true);
    }
  });

  it("is told the bound, and is taken where it is faster", () => {
    vi.mocked(lowerBound).mockReturnValue(7);
    vi.mocked(anneal).mockImplementation((_rows, workload) =>
      alone(workload, 1).map((row) => row.toReversed()),
    );
    const first = auto(SEARCHED)[0]?.[0];
    expect(vi.mocked(anneal).mock.calls[0]?.[2]).toBe(7);
    expect(first?.map(({ sequence }) => sequence)).toEqual([3]);
  });

  it("ends with small cells searched exhaustively, and aligned", () => {
    vi.mocked(isSmall).mockImplementation((members) => members === 1);
    vi.mocked(exactCell).mockImplementation((cell) => ({
      ...cell,
      time: cell.sequences[0] as number,
    }));
    vi.mocked(anneal).mockImplementation((_rows, workload) => alone(workload, 2000));
    const [own] = auto({ ...SEARCHED, lengths: [400, 100, 400, 100] });
    // By the times that the stand-in gives: 0 to 3, longest first.
    expect(own?.map(([placement]) => placement?.sequence)).toEqual([3, 2, 1, 0]);
    expect(exactCell).toHaveBeenCalledTimes(4);
    vi.mocked(isSmall).mockReturnValue(false);
    auto(SEARCHED);
    expect(exactCell).toHaveBeenCalledTimes(4);
  });
});

describe("bands", () => {
  const asked = () => vi.mocked(bestBands).mock.calls.map(([count, tries]) => [count, tries]);

  it("are tried with as many cells as memory asks for in every row, and one and two more", () => {
    // 1000 tokens in cells of 500.
    auto(PROBLEM);
    expect(asked()).toEqual([
      [2, 8],
      [4, 8],
      [6, 8],
    ]);
    vi.mocked(bestBands).mockClear();
    // 1001 tokens; two rows have two each.
    auto({ ...PROBLEM, lengths: [400, 100, 101, 400] });
    expect(asked().map(([count]) => count)).toEqual([4, 6, 8]);
  });

  it("are tried in more places where there is time, but not within half a percent of the bound", () => {
    const best = timeOf(auto(PROBLEM), PROBLEM);
    for (const [bound, times] of [
      [best / 1.004, 0],
      [best / 1.006, 3],
    ] as const) {
      vi.mocked(bestBands).mockClear();
      vi.mocked(lowerBound).mockReturnValue(bound);
      auto(SEARCHED);
      expect(asked().filter(([, tries]) => tries === 16)).toHaveLength(times);
    }
  });

  it("are not tried in more cells where they are far behind", () => {
    vi.mocked(bestBands).mockImplementation((_count, _tries, workload) => alone(workload, 1e6));
    auto(PROBLEM);
    expect(asked()).toHaveLength(1);
  });

  it("are taken where they are faster, aligned", () => {
    vi.mocked(bestBands).mockImplementation((_count, _tries, workload) => {
      const rows = alone(workload);
      return rows.map((row) => row.map((cell, n) => ({ ...cell, time: n + 1 })));
    });
    const assignment = auto({ ...PROBLEM, lengths: [400, 400, 100, 100] });
    expect(assignment[0]?.map(([placement]) => placement?.sequence)).toEqual([2, 0]);
  });
});
