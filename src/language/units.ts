import type { Dimension } from "./types.js";

type Units = Readonly<Record<string, number>>;

/** Units of a bare number, wherever something is counted. */
export const COUNT_UNITS: Units = { K: 1024, M: 1024 ** 2 };

/** Factor of each unit to the dimension's base: tokens, bytes, bytes or operations per second, seconds. */
export const UNITS: Readonly<Record<Dimension, Units>> = {
  tokens: { ...COUNT_UNITS, tokens: 1 },
  bytes: {
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
    TiB: 1024 ** 4,
    B: 1,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
    TB: 1e12,
  },
  bandwidth: {
    "Mbit/s": 1e6 / 8,
    "Gbit/s": 1e9 / 8,
    "B/s": 1,
    "MB/s": 1e6,
    "GB/s": 1e9,
    "TB/s": 1e12,
  },
  compute: { "FLOP/s": 1, "GFLOP/s": 1e9, "TFLOP/s": 1e12, "PFLOP/s": 1e15 },
  time: { ms: 1e-3, s: 1, min: 60, h: 3600 },
};

/** The unit of a dimension whose factor is 1. */
export const BASE_UNITS: Readonly<Record<Dimension, string>> = {
  tokens: "tokens",
  bytes: "B",
  bandwidth: "B/s",
  compute: "FLOP/s",
  time: "s",
};

/** Dimensions whose bare numbers are clear. */
export const UNITLESS: readonly Dimension[] = ["tokens"];

export const DIMENSION_NAMES: Readonly<Record<Dimension, string>> = {
  tokens: "a number of tokens",
  bytes: "an amount of memory",
  bandwidth: "a bandwidth",
  compute: "a rate of operations",
  time: "a length of time",
};

/** What one of a unit counts for; `undefined` where none of these is called so. */
export const factorOf = (units: Units, name: string): number | undefined =>
  Object.hasOwn(units, name) ? units[name] : undefined;

/** Units of a dimension, to show. */
export function unitsOf(dimension: Dimension): string {
  return Object.keys(UNITS[dimension]).join(", ");
}
