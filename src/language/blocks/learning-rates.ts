import { aboveZero, integer, number, upTo } from "../kinds.js";
import type { Properties } from "../types.js";

export const warmup = {
  warmup_steps: {
    type: integer(upTo(1e9)),
    doc: "Steps over which the rate rises from zero.",
    since: 1,
    default: 0,
  },
  warmup_ratio: {
    type: number(upTo(1)),
    doc: "The same as a share of all steps, to the nearest whole step.",
    since: 1,
    optional: "from `warmup_steps`",
  },
} as const satisfies Properties;

export const falling = {
  ...warmup,
  min_ratio: {
    type: number(upTo(1)),
    doc: "Rate at the end, as a share of the peak.",
    since: 1,
    default: 0,
  },
} as const satisfies Properties;

export const stable = {
  ...falling,
  decay_ratio: {
    type: number({ ...aboveZero, max: 1 }),
    doc: "Share of all steps, at the end of the run, over which the rate falls linearly.",
    since: 1,
    default: 0.1,
  },
} as const satisfies Properties;
