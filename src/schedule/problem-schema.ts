import { MOST_RANKS } from "../foundation/ranks.js";
import { DEGREE_CLASSES, OBJECTIVES, POLICY_NAMES } from "./problem.js";

/** Larger problems are refused rather than left to run for hours. */
export const MOST_SEQUENCES = 2 ** 20;
/** Moves of one search. */
export const MOST_ITERATIONS = 1e9;
/** A day. */
export const MOST_BUDGET_MS = 24 * 3600 * 1000;
/** Sequences times ranks. */
export const MOST_PAIRS = 2 ** 30;
/** All tokens times ranks: keeps the memory of any schedule an exact integer in both programs. */
export const MOST_TOKEN_RANKS = 2 ** 52;

const tokens = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER } as const;
/** Beyond any real time, and small enough that no sum or square overflows. */
const time = { type: "number", minimum: 0, maximum: 1e100 } as const;
const whole = { type: "integer", minimum: 0, default: 0 } as const;
const degree = { type: "integer", minimum: 1, maximum: MOST_RANKS } as const;

/** JSON Schema of a scheduling problem; `schemas/schedule-problem.schema.json` is written from it. */
export const PROBLEM_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "skrull scheduling problem",
  type: "object",
  additionalProperties: false,
  required: ["format_version", "lengths", "data_parallel", "context_parallel", "bucket", "cost"],
  properties: {
    format_version: { const: 1 },
    lengths: {
      type: "array",
      maxItems: MOST_SEQUENCES,
      items: tokens,
    },
    data_parallel: degree,
    context_parallel: degree,
    bucket: tokens,
    padding: { enum: ["exact", "zigzag"], default: "exact" },
    cost: {
      type: "object",
      additionalProperties: false,
      required: ["a1", "a2", "comm"],
      properties: {
        a1: time,
        a2: time,
        fixed: { ...time, default: 0 },
        small_shard_tokens: { ...time, default: 0 },
        comm: {
          type: "object",
          propertyNames: { pattern: "^([2-9]|[1-9][0-9]{1,5})$" },
          additionalProperties: { type: "array", minItems: 3, maxItems: 3, items: time },
        },
      },
    },
    policy: { enum: POLICY_NAMES, default: "auto" },
    degrees: { enum: DEGREE_CLASSES, default: "local-or-all" },
    objective: { enum: OBJECTIVES, default: "lockstep" },
    iterations: { ...whole, maximum: MOST_ITERATIONS },
    time_budget_ms: { ...time, maximum: MOST_BUDGET_MS, default: 0 },
    seed: { ...whole, maximum: Number.MAX_SAFE_INTEGER },
  },
} as const;
