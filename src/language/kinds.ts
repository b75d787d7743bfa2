/** Types of values that several blocks of the language have. */
import type { NumberRange } from "./types.js";

export const upTo = (max: number, min = 0): NumberRange => ({ min, max });
export const aboveZero: NumberRange = { min: 0, above: true };

export const integer = <R extends NumberRange>(range: R) => ({ kind: "integer", range }) as const;
export const number = <R extends NumberRange>(range: R) => ({ kind: "number", range }) as const;
export const oneOf = <const V extends readonly string[]>(...values: V) =>
  ({ kind: "enumeration", values }) as const;
export const tokens = {
  kind: "quantity",
  dimension: "tokens",
  range: { min: 1, max: 2 ** 40 },
} as const;
export const bytes = {
  kind: "quantity",
  dimension: "bytes",
  range: { min: 0, max: 2 ** 50 },
} as const;
export const path = { kind: "path", inside: true } as const;
/** Read when compiling and copied into the run, so it may lie anywhere. */
export const copiedPath = { kind: "path", inside: false } as const;
