import { expect, it } from "vitest";
import type { Problem } from "../../src/schedule/problem.js";
import { budgetOf, hasBudget } from "../../src/schedule/refine/budget.js";

const asking = (iterations: number, time_budget_ms: number) =>
  ({ iterations, time_budget_ms }) as Problem;

/** A clock that shows these times one after the other. */
function clockOf(...times: number[]) {
  return () => {
    const time = times.shift();
    if (time === undefined) throw new Error("nobody should look at the clock again");
    return time;
  };
}

it("is asked for by moves, or by time where there is a clock", () => {
  const clock = () => 0;
  expect(hasBudget(asking(0, 0), clock)).toBe(false);
  expect(hasBudget(asking(1, 0), undefined)).toBe(true);
  expect(hasBudget(asking(0, 1), clock)).toBe(true);
  expect(hasBudget(asking(0, 1), undefined)).toBe(false);
});

it("is used up by moves, all of them in every search", () => {
  for (const share of [0.2, 1]) {
    const { used } = budgetOf(asking(8, 0), share, clockOf());
    expect([0, 2, 8, 12].map(used)).toEqual([0, 0.25, 1, 1.5]);
  }
  expect(budgetOf(asking(1, 0), 1, undefined).used(1)).toBe(1);
  expect(budgetOf(asking(0, 0), 1, undefined).used(99)).toBe(0);
  expect(budgetOf(asking(4, 10), 1, undefined).used(2)).toBe(0.5);
});

it("is used up by a share of the time, seen every eighth move", () => {
  const { used } = budgetOf(asking(0, 100), 0.2, clockOf(1000, 1004, 1010, 1020));
  expect([0, 1, 7, 8, 9, 15, 16, 17].map(used)).toEqual([0.2, 0.2, 0.2, 0.5, 0.5, 0.5, 1, 1]);
});

it("has used no time until the clock is first looked at", () => {
  const { used } = budgetOf(asking(0, 100), 1, clockOf(1000, 1050));
  expect([1, 7, 8].map(used)).toEqual([0, 0, 0.5]);
});

it("is used up by whichever ends first", () => {
  const { used } = budgetOf(asking(32, 100), 1, clockOf(0, 0, 50, 60));
  expect([0, 8, 9, 16, 24].slice(0, 4).map(used)).toEqual([0, 0.5, 0.5, 0.6]);
  const few = budgetOf(asking(10, 100), 1, clockOf(0, 0, 50));
  expect([0, 7, 8].map(few.used)).toEqual([0, 0.7, 0.8]);
});
