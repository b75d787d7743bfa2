import { expect, it } from "vitest";
import type { Problem } from "../../src/schedule/problem.js";
import { Budget } from "../../src/schedule/search/budget.js";

const asking = (iterations: number, time_budget_ms: number) =>
  ({ iterations, time_budget_ms }) as Problem;

/** Moves of every leg until it says that it is over, and what of its length is used up after the first of them. */
function legsOf(iterations: number): readonly { readonly moves: number; readonly first: number }[] {
  return [...new Budget(asking(iterations, 0), undefined).legs(false)].map(({ used }) => {
    let moves = 0;
    while (used(moves) < 1) moves += 1;
    return { moves, first: used(1) };
  });
}

it("is asked for by moves, or by time where there is a clock", () => {
  const searches = (iterations: number, ms: number, clock?: () => number) =>
    new Budget(asking(iterations, ms), clock).searches;
  expect(searches(0, 0, () => 0)).toBe(false);
  expect(searches(1, 0)).toBe(true);
  expect(searches(0, 1, () => 0)).toBe(true);
  expect(searches(0, 1)).toBe(false);
});

it("by moves is legs of twice the length each, of which a larger number repeats those of a smaller one", () => {
  expect(legsOf(1)).toEqual([{ moves: 1, first: 1 }]);
  expect(legsOf(4096).map(({ moves }) => moves)).toEqual([4096]);
  const few = legsOf(10_000);
  expect(few.map(({ moves }) => moves)).toEqual([4096, 5904]);
  const many = legsOf(30_000);
  expect(many.map(({ moves }) => moves)).toEqual([4096, 8192, 16_384, 1328]);
  expect(many.slice(0, 2).map(({ first }) => first)).toEqual(few.map(({ first }) => first));
});

it("by the clock is one leg that has what is left of the time", () => {
  let now = 1000;
  const budget = new Budget(asking(0, 100), () => now);
  now = 1020;
  expect(budget.gone()).toBe(0.2);
  const [leg, ...others] = budget.legs(false);
  expect(others).toEqual([]);
  expect(leg?.used(64)).toBe(0);
  now = 1060;
  expect(leg?.used(128)).toBeCloseTo(0.5, 12);
  now = 1101;
  expect(leg?.used(192)).toBeGreaterThanOrEqual(1);
});

it("by the clock has no leg where all of the time is gone", () => {
  let now = 0;
  const budget = new Budget(asking(0, 10), () => now);
  now = 10;
  expect([...budget.legs(false)]).toEqual([]);
});

it("ends by whichever is used up first", () => {
  const [leg] = new Budget(asking(128, 100), () => 0).legs(false);
  expect(leg?.used(64)).toBe(0);
  expect(leg?.used(128)).toBeGreaterThanOrEqual(1);
});

it("by the clock is as many legs as there is time for, where the batch is small", () => {
  let now = 0;
  const budget = new Budget(asking(0, 100), () => now);
  const moves: number[] = [];
  for (const { used } of budget.legs(true)) {
    let made = 0;
    while (used(made) < 1) made += 64;
    moves.push(made);
    now += 30;
  }
  expect(moves).toEqual([4096, 8192, 16_384, 32_768]);
});
