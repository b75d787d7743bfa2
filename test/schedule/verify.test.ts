import { describe, expect, it } from "vitest";
import type { Problem } from "../../src/schedule/problem.js";
import { verifySchedule } from "../../src/schedule/verify.js";

/** Two data-parallel ranks of four each, 100 tokens a rank. */
const PROBLEM: Problem = {
  format_version: 1,
  lengths: [40, 80],
  data_parallel: 2,
  context_parallel: 4,
  bucket: 100,
  padding: "exact",
  cost: { a1: 1, a2: 0, fixed: 0, least: 0, small_shard_tokens: 0, comm: { 4: [1, 1, 1] } },
  policy: "auto",
  degrees: "local-or-all",
  objective: "free",
  iterations: 0,
  time_budget_ms: 0,
  seed: 0,
};

type Place = readonly [sequence: number, firstRank: number, degree: number];
const placed = (places: readonly Place[]) =>
  places.map(([sequence, first_rank, degree]) => ({ sequence, first_rank, degree }));
const check = (change: Partial<Problem>, ...microBatches: readonly Place[][]) =>
  verifySchedule(
    { ...PROBLEM, ...change },
    microBatches.map((places, index) => ({ index, placements: placed(places) })),
  );
const on = (degree: number, first: number, what: string, sequence = 0) =>
  `sequence ${sequence} on ${degree} ranks from ${first}: ${what}`;

describe("sound schedules", () => {
  it("have nothing wrong", () => {
    expect(check({}, [[0, 7, 1]], [[1, 4, 4]])).toEqual([]);
    expect(check({}, [])).not.toEqual([]);
    expect(check({ lengths: [] }, [])).toEqual([]);
    expect(check({ lengths: [] })).toEqual([]);
  });

  it("may fill a rank to the last token", () => {
    const lengths = [60, 160];
    expect(
      check({ lengths }, [
        [0, 0, 1],
        [1, 0, 4],
      ]),
    ).toEqual([]);
    expect(
      check({ lengths: [61, 160] }, [
        [0, 0, 1],
        [1, 0, 4],
      ]),
    ).toEqual(["micro-batch 0: rank 0 is over its bucket"]);
  });
});

describe("the rule that", () => {
  it("micro-batches are numbered in order", () => {
    const microBatches = [1, 1].map((index, n) => ({ index, placements: placed([[n, 0, 1]]) }));
    expect(verifySchedule(PROBLEM, microBatches)).toEqual(["micro-batch 0 has index 1"]);
  });

  it("every sequence is placed once", () => {
    expect(check({}, [[1, 0, 1]])).toEqual(["sequence 0 is placed 0 times"]);
    expect(
      check(
        {},
        [
          [0, 0, 1],
          [1, 1, 1],
        ],
        [[1, 2, 1]],
      ),
    ).toEqual(["sequence 1 is placed 2 times"]);
  });

  it("there is such a sequence", () => {
    const found = check({}, [
      [0, 0, 1],
      [1, 1, 1],
      [2, 2, 1],
    ]);
    expect(found).toEqual([on(1, 2, "no such sequence", 2)]);
  });

  it("a degree is of the class", () => {
    const cost = { ...PROBLEM.cost, comm: { 2: [1, 1, 1], 4: [1, 1, 1], 8: [1, 1, 1] } } as const;
    const two = [
      [0, 2, 2],
      [1, 0, 1],
    ] as const;
    expect(check({ cost }, [...two])).toEqual([on(2, 2, "degree not permitted")]);
    expect(check({ cost, degrees: "powers-of-two" }, [...two])).toEqual([]);
    expect(
      check({ cost, degrees: "powers-of-two" }, [
        [0, 0, 8],
        [1, 0, 1],
      ]),
    ).toEqual([on(8, 0, "degree not permitted"), on(8, 0, "group crosses data-parallel ranks")]);
  });

  it("a degree has a cost", () => {
    const cost = { ...PROBLEM.cost, comm: {} };
    expect(
      check({ cost }, [
        [0, 0, 4],
        [1, 0, 1],
      ]),
    ).toEqual([on(4, 0, "degree without a cost")]);
  });

  it("a group is aligned, and of ranks of one data-parallel rank", () => {
    expect(
      check({}, [
        [0, 2, 4],
        [1, 0, 1],
      ]),
    ).toEqual([on(4, 2, "group not aligned"), on(4, 2, "group crosses data-parallel ranks")]);
    expect(
      check({}, [
        [0, 1, 4],
        [1, 0, 1],
      ]),
    ).toContain(on(4, 1, "group crosses data-parallel ranks"));
    const cost = { ...PROBLEM.cost, comm: { 2: [1, 1, 1] } } as const;
    const found = check({ cost, degrees: "powers-of-two" }, [
      [0, 1, 2],
      [1, 0, 1],
    ]);
    expect(found).toEqual([on(2, 1, "group not aligned")]);
  });

  it("a group's ranks are there, the last of them too", () => {
    expect(
      check({}, [
        [0, 8, 1],
        [1, 0, 1],
      ]),
    ).toEqual([on(1, 8, "no such ranks")]);
    expect(
      check({}, [
        [0, -1, 1],
        [1, 0, 1],
      ]),
    ).toEqual([on(1, -1, "no such ranks")]);
    expect(
      check({}, [
        [0, 8, 4],
        [1, 0, 1],
      ]),
    ).toEqual([on(4, 8, "no such ranks")]);
    expect(
      check({}, [
        [0, 7, 1],
        [1, 0, 1],
      ]),
    ).toEqual([]);
  });

  it("a pool's groups may cross data-parallel ranks, up to all of them", () => {
    const cost = { ...PROBLEM.cost, comm: { 8: [1, 1, 1] } } as const;
    const crossing = [
      [0, 0, 8],
      [1, 0, 1],
    ] as const;
    expect(check({ cost, degrees: "pool" }, [...crossing])).toEqual([]);
    expect(check({ cost, degrees: "pool", data_parallel: 1 }, [...crossing])).toEqual([
      on(8, 0, "degree not permitted"),
      on(8, 0, "no such ranks"),
    ]);
  });
});

describe("memory", () => {
  const over = (rank: number, index = 0) => `micro-batch ${index}: rank ${rank} is over its bucket`;

  it("is added up rank by rank, where groups begin and end", () => {
    const lengths = [100, 4, 97];
    expect(
      check({ lengths }, [
        [0, 1, 1],
        [1, 0, 4],
        [2, 2, 1],
      ]),
    ).toEqual([over(1)]);
    expect(
      check({ lengths: [100, 4, 100] }, [
        [0, 1, 1],
        [1, 0, 4],
        [2, 2, 1],
      ]),
    ).toEqual([over(1), over(2)]);
    expect(
      check({ lengths: [101, 4, 1] }, [
        [0, 1, 1],
        [1, 4, 4],
        [2, 2, 1],
      ]),
    ).toEqual([over(1)]);
    expect(
      check(
        { lengths: [50, 50, 1] },
        [
          [0, 7, 1],
          [1, 7, 1],
        ],
        [[2, 7, 1]],
      ),
    ).toEqual([]);
    expect(
      check({ lengths: [50, 50, 1] }, [
        [0, 7, 1],
        [1, 7, 1],
        [2, 7, 1],
      ]),
    ).toEqual([over(7)]);
  });

  it("is of one micro-batch at a time", () => {
    expect(check({ lengths: [100, 100] }, [[0, 0, 1]], [[1, 0, 1]])).toEqual([]);
    expect(check({ lengths: [100, 101] }, [[0, 0, 1]], [[1, 0, 1]])).toEqual([over(0, 1)]);
  });

  it("has shards of two padded chunks under zigzag", () => {
    // 393 tokens are 99 a rank exactly, and 2 x 50 padded to eight chunks; 401 are 2 x 51.
    const lengths = [1, 393];
    const both = [
      [0, 0, 1],
      [1, 0, 4],
    ] as const;
    expect(check({ lengths }, [...both])).toEqual([]);
    expect(check({ lengths, padding: "zigzag" }, [...both])).toEqual([over(0)]);
    expect(
      check({ lengths: [100, 400], padding: "zigzag" }, [
        [0, 4, 1],
        [1, 0, 4],
      ]),
    ).toEqual([]);
    const four = [0, 1, 2, 3].map(() => over(0));
    expect(
      check({ lengths: [1, 401], padding: "zigzag" }, [
        [0, 7, 1],
        [1, 0, 4],
      ]),
    ).toEqual(four.slice(0, 1));
  });

  it("has nothing of a sequence that there is not", () => {
    const found = [99, 100, 101].map((length) =>
      check({ lengths: [length, 1] }, [
        [0, 0, 1],
        [1, 1, 1],
        [2, 0, 1],
      ]).includes(over(0)),
    );
    expect(found).toEqual([false, false, true]);
  });

  it("of whole sequences is not padded", () => {
    expect(
      check({ lengths: [99, 1], padding: "zigzag" }, [
        [0, 0, 1],
        [1, 0, 1],
      ]),
    ).toEqual([]);
  });

  it("of a pool is in fractions that every degree divides", () => {
    const comm = { 2: [1, 1, 1], 4: [1, 1, 1], 8: [1, 1, 1] } as const;
    const pool = { degrees: "pool", cost: { ...PROBLEM.cost, comm } } as const;
    expect(check({ ...pool, lengths: [801, 1] }, [[0, 0, 8]], [[1, 0, 1]])).toEqual([over(0)]);
    expect(
      check({ ...pool, lengths: [792, 1] }, [
        [0, 0, 8],
        [1, 7, 1],
      ]),
    ).toEqual([]);
    expect(
      check({ ...pool, lengths: [793, 1] }, [
        [0, 0, 8],
        [1, 7, 1],
      ]),
    ).toEqual([over(7)]);
  });
});
