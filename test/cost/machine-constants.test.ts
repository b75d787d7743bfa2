import { expect, it } from "vitest";
import { CONSTANT_VALUES, MACHINE_CONSTANTS } from "../../src/cost/machine-constants.js";

it.each(Object.entries(MACHINE_CONSTANTS))("%s says what it is and where it is from", (name, {
  value,
  unit,
  what,
  source,
}) => {
  expect(Number.isFinite(value)).toBe(true);
  expect(value).toBeGreaterThan(0);
  if (unit === "share") expect(value).toBeLessThanOrEqual(1);
  for (const text of [unit, what, source]) expect(text.trim()).not.toBe("");
  expect(CONSTANT_VALUES).toHaveProperty(name, value);
});

it("a value is there for every constant and for nothing else", () => {
  expect(Object.keys(CONSTANT_VALUES)).toEqual(Object.keys(MACHINE_CONSTANTS));
});
