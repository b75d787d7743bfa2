import { describe, expect, it } from "vitest";
import { Moves } from "../../src/schedule/refine/moves.js";
import { State } from "../../src/schedule/refine/state.js";
import { cellOf, fakeWorkload } from "./search-states.js";

/** Sequences 0 to 7 are longest first. */
const LENGTHS = [80, 70, 60, 50, 40, 30, 20, 10];
const SIZE = 2;
const free = fakeWorkload(LENGTHS, 2, SIZE, 3, "free");
const lockstep = fakeWorkload(LENGTHS, 2, SIZE, 3, "lockstep");
const A = cellOf([0, 3, 6], 100, [2, 1, 0]);
const B = cellOf([1, 5], 30, [1, 0]);
const C = cellOf([2, 4, 7], 90, [0, 0, 1]);
/** Cells 0 and 1 and an empty one of the first row, 3 and an empty one of the second. */
const ROWS = [[A, B], [C]];

/** What is proposed where these numbers are drawn, all of them and no others. */
function proposed(draws: readonly number[], rows = ROWS, workload = free) {
  const left = [...draws];
  const random = () => {
    const drawn = left.shift();
    if (drawn === undefined) throw new Error("one draw more than expected");
    return drawn;
  };
  const drafts = new Moves(workload, random).propose(new State(rows, workload));
  expect(left).toEqual([]);
  return drafts;
}

// Draws in order. The critical cell: any filled one; 0 of 4 takes it, else one of the slowest row. What to do: 0 of 8
// changes a degree, 1 and 2 give only, others exchange.
const degreeOf = (...drawn: number[]) => [...drawn, 0];

describe("the cell that a move begins with", () => {
  it("is one of the slowest row, mostly", () => {
    // The first row takes 130, the second 90.
    expect(proposed([...degreeOf(2, 1, 1), 0, 0])[0]?.cell).toBe(1);
    expect(proposed([...degreeOf(2, 3, 0), 0, 0])[0]?.cell).toBe(0);
    const slower = [[B], [A, C]];
    expect(proposed([...degreeOf(0, 1, 1), 0, 0], slower)[0]?.cell).toBe(3);
  });

  it("is any filled cell every fourth time", () => {
    expect(proposed([...degreeOf(2, 0), 0, 0])[0]?.cell).toBe(3);
    expect(proposed([...degreeOf(1, 0), 0, 0])[0]?.cell).toBe(1);
  });

  it("is the slowest of those side by side in lockstep", () => {
    // By time: A and C side by side, then B.
    expect(proposed([...degreeOf(2, 1, 0), 0, 0], ROWS, lockstep)[0]?.cell).toBe(0);
    expect(proposed([...degreeOf(2, 1, 1), 0, 0], ROWS, lockstep)[0]?.cell).toBe(1);
    // One round of two has nothing else to draw.
    expect(proposed([...degreeOf(1, 1, 5), 0, 0], [[C], [A]], lockstep)[0]?.cell).toBe(2);
  });
});

describe("a change of degree", () => {
  it("takes any other level of any member", () => {
    for (const [member, step, expected] of [
      [0, 0, [0, 1, 0]],
      [0, 1, [1, 1, 0]],
      [1, 0, [2, 2, 0]],
      [1, 1, [2, 0, 0]],
      [2, 0, [2, 1, 1]],
      [2, 1, [2, 1, 2]],
    ] as const) {
      const drafts = proposed([...degreeOf(0, 0), member, step]);
      expect(drafts).toEqual([{ cell: 0, members: [0, 3, 6], levels: expected }]);
    }
  });

  it("is none where there is one level", () => {
    const one = fakeWorkload(LENGTHS, 2, SIZE, 1, "free");
    expect(proposed([...degreeOf(0, 0), 1], [[cellOf([0, 1], 1)], []], one)).toEqual([]);
  });

  it("is what is left where there is no other cell", () => {
    // Draws: cell, any; exchange; no empty cell, any row; then member and step.
    const drafts = proposed([0, 0, 7, 1, 0, 1, 0], [[A], []]);
    expect(drafts).toEqual([{ cell: 0, members: [0, 3, 6], levels: [2, 2, 0] }]);
  });
});

describe("the other cell", () => {
  /** Gives one way, so that nothing is drawn for a partner. */
  const oneWay = [0, 0, 1];

  it("is of another row, three times of four", () => {
    for (const elsewhere of [1, 2, 3])
      expect(proposed([...oneWay, 1, elsewhere, 0, 0])[1]?.cell).toBe(3);
    expect(proposed([...oneWay, 1, 0, 0, 0])[1]?.cell).toBe(1);
    expect(proposed([...oneWay, 1, 0, 1, 0])[1]?.cell).toBe(3);
  });

  it("may be empty every sixteenth time", () => {
    expect(proposed([...oneWay, 0, 1, 1, 0])[1]?.cell).toBe(4);
    expect(proposed([...oneWay, 0, 0, 1, 0])[1]?.cell).toBe(2);
    expect(proposed([...oneWay, 1, 1, 1, 0])[1]?.cell).toBe(3);
  });

  it("is of any row in lockstep, and where there is one row", () => {
    expect(proposed([0, 0, 1, 1, 0, 0], ROWS, lockstep)[1]?.cell).toBe(1);
    const one = fakeWorkload(LENGTHS, 1, SIZE, 3, "free");
    expect(proposed([0, 0, 1, 1, 1, 0], [[A, B, C]], one)[1]?.cell).toBe(2);
  });
});

it("draws from as many as there are", () => {
  // Every number is the bound that it is drawn below, or more, and counts as what is left of it.
  const one = proposed([3, 4, 8, 3, 2]);
  expect(one).toEqual([{ cell: 0, members: [0, 3, 6], levels: [0, 1, 0] }]);
  // Any cell; exchange, with an empty one allowed, of any row: the first other is that of the same row.
  const [from, to] = proposed([3, 4, 8 + 3, 16, 4, 4, 3, 2, 2]);
  expect([from?.cell, to?.cell]).toEqual([0, 1]);
  expect([from?.members, to?.members]).toEqual([
    [1, 3, 6],
    [0, 5],
  ]);
  // In lockstep one of two rounds, of all others.
  expect(proposed([3, 5, 2, 8, 3, 2], ROWS, lockstep)[0]?.cell).toBe(0);
});

describe("an exchange", () => {
  it("gives one way on draws of 1 and 2", () => {
    for (const draw of [1, 2]) {
      expect(proposed([0, 0, draw, 1, 1, 0, 1])).toEqual([
        { cell: 0, members: [0, 6], levels: [2, 0] },
        { cell: 3, members: [2, 3, 4, 7], levels: [0, 1, 0, 1] },
      ]);
    }
  });

  it("takes any in return every second time, and keeps the order of lengths", () => {
    for (const draw of [3, 7]) {
      expect(proposed([0, 0, draw, 1, 1, 0, 0, 0, 2])).toEqual([
        { cell: 0, members: [3, 6, 7], levels: [1, 0, 1] },
        { cell: 3, members: [0, 2, 4], levels: [2, 0, 0] },
      ]);
    }
    expect(proposed([0, 0, 3, 1, 1, 0, 2, 0, 0])).toEqual([
      { cell: 0, members: [0, 2, 3], levels: [2, 0, 1] },
      { cell: 3, members: [4, 6, 7], levels: [0, 0, 1] },
    ]);
  });

  it("else takes the one that evens out the two rows best", () => {
    // The first row takes 40 longer; over two ranks that is 80 of work, half of it 40: for the 80 of sequence 0 comes 40.
    const [from, to] = proposed([0, 0, 3, 1, 1, 0, 0, 1]);
    expect(from).toEqual({ cell: 0, members: [3, 4, 6], levels: [1, 0, 0] });
    expect(to).toEqual({ cell: 3, members: [0, 2, 7], levels: [2, 0, 1] });
    // From the faster row: for the 10 of sequence 7 comes 10 + 40, which is that of sequence 3.
    const [back] = proposed([2, 0, 3, 1, 1, 0, 2, 1]);
    expect(back?.cell).toBe(3);
    expect(back?.members).toEqual([2, 3, 4]);
  });

  it("evens out two cells in lockstep", () => {
    // 10 longer: 10 of work over two ranks, for 80 comes the nearest to 70, which is 60 of sequence 2.
    expect(proposed([0, 0, 3, 1, 1, 0, 1], ROWS, lockstep)[0]?.members).toEqual([2, 3, 6]);
    // B is 60 faster than C: 60 of work, for the 30 of sequence 5 the nearest to 90, which is 60.
    expect(proposed([1, 0, 3, 1, 1, 1, 1], ROWS, lockstep)[0]?.members).toEqual([1, 2]);
  });

  it("of two cells of a row takes the nearest of the same work", () => {
    // For the 20 of sequence 6, the 30 of sequence 5.
    const [from] = proposed([0, 0, 3, 1, 0, 0, 2, 1]);
    expect(from).toEqual({ cell: 0, members: [0, 3, 5], levels: [2, 1, 0] });
    // For the 50 of sequence 3 both are 20 away: the first.
    expect(proposed([0, 0, 3, 1, 0, 0, 1, 1])[0]?.members).toEqual([0, 1, 6]);
  });

  it("takes nothing of an empty cell", () => {
    expect(proposed([0, 0, 7, 0, 1, 1, 2])).toEqual([
      { cell: 0, members: [0, 3], levels: [2, 1] },
      { cell: 4, members: [6], levels: [0] },
    ]);
  });
});
