import { describe, expect, it } from "vitest";
import { openCell, State } from "../../src/schedule/refine/state.js";
import { cellOf, fakeWorkload } from "./search-states.js";

const LENGTHS = [50, 10, 50, 90, 20];
const free = fakeWorkload(LENGTHS, 2, 4, 2, "free");
const lockstep = fakeWorkload(LENGTHS, 2, 4, 2, "lockstep");
const [A, B, C] = [cellOf([0, 1], 7), cellOf([2], 4), cellOf([3, 4], 5)];
const NONE = cellOf([], 0);

describe("a state", () => {
  it("has a row's cells that have members, and one empty cell more", () => {
    const { cells, rowOf } = new State([[A, NONE, B], [C]], free);
    expect(cells.map(({ members }) => members)).toEqual([[0, 1], [2], [], [3, 4], []]);
    expect(cells.map(({ cell }) => cell)).toEqual([A, B, undefined, C, undefined]);
    expect(rowOf).toEqual([0, 0, 0, 1, 1]);
  });

  it("takes as long as its slowest row where rows are free", () => {
    const state = new State([[A, B], [C]], free);
    expect(state.lockstep).toBe(false);
    expect(state.time()).toBe(11);
    expect([...state.rowTotals()]).toEqual([11, 5]);
    expect(new State([[B], [A, C]], free).time()).toBe(12);
  });

  it("takes as long as the slowest of those side by side in lockstep", () => {
    const state = new State([[A, B], [C]], lockstep);
    expect(state.lockstep).toBe(true);
    // 7 and 5 side by side, then 4.
    expect(state.time()).toBe(7 + 4);
    expect(
      new State(
        [
          [A, B],
          [C, cellOf([], 3)],
        ],
        lockstep,
      ).time(),
    ).toBe(11);
  });

  it("in lockstep has whole rounds of cells too", () => {
    const state = new State(
      [
        [A, B],
        [C, cellOf([1], 2)],
      ],
      lockstep,
    );
    expect(state.cells).toHaveLength(6);
    expect(state.time()).toBe(7 + 4);
  });

  it("is not in lockstep with one row", () => {
    const one = fakeWorkload(LENGTHS, 1, 4, 2, "lockstep");
    const state = new State([[A, B, C]], one);
    expect(state.lockstep).toBe(false);
    expect(state.time()).toBe(16);
  });

  it("spreads all time over its rows", () => {
    expect(new State([[A, B], [C]], free).spread()).toBe(8);
  });

  it("lists filled cells by time, longest first, equals as they are", () => {
    const equal = cellOf([1], 5);
    const state = new State([[equal, A], [C]], free);
    expect(state.byTime()).toEqual([1, 0, 3]);
  });
});

describe("an open cell", () => {
  it("has its members longest first, ties by index, each with its level", () => {
    const cell = cellOf([0, 1, 2, 3], 9, [1, 0, 2, 3]);
    expect(openCell(cell, free)).toEqual({
      members: [3, 0, 2, 1],
      levels: [3, 1, 2, 0],
      time: 9,
      cell,
    });
    expect(openCell(cellOf([2, 0], 1, [1, 0]), free)).toMatchObject({
      members: [0, 2],
      levels: [0, 1],
    });
  });
});
