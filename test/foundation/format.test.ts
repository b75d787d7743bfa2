import { expect, it } from "vitest";
import { formatAmount, formatDuration } from "../../src/foundation/format.js";

it.each([
  [0, "0 s"],
  [0.137, "137 ms"],
  [59.4, "59.4 s"],
  [59.6, "1 min"],
  [750, "12 min 30 s"],
  [3599.6, "1 h"],
  [11_520, "3 h 12 min"],
  [47 * 3600 + 59 * 60 + 31, "48 h"],
  [48 * 3600, "2 d"],
  [5 * 86_400 + 4 * 3600 + 60, "5 d 4 h"],
  [2_000 * 86_400, "2,000 d"],
])("%f seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

it.each([
  [0, "0"],
  [0.00012345, "0.000123"],
  [0.1374, "0.137"],
  [25.63, "25.6"],
  [1234.4, "1,234"],
])("%f is %s", (value, text) => {
  expect(formatAmount(value)).toBe(text);
});
