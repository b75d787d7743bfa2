import { DEGREE_CLASSES, OBJECTIVES, PADDINGS, POLICIES } from "./problem.js";

/** More would not be a global batch but a data set, and could take minutes. */
export const MAX_SEQUENCES = 2 ** 20;
export const MAX_RANKS = 2 ** 16;

// Far beyond any time in microseconds, and small enough that squares of lengths stay finite.
const quantity = { type: "number", minimum: 0, maximum: 1e100 } as const;
const count = (minimum: number, maximum: number) => ({ type: "integer", minimum, maximum }) as const;

/** JSON Schema of one scheduling problem; `schemas/schedule-problem.schema.json` is generated from it. */
export const PROBLEM_SCHEMA = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "One scheduling problem of skrull. Times in microseconds, lengths in tokens.",
  type: "object",
  required: ["format_version", "lengths", "data_parallel", "context_parallel", "bucket", "cost"],
  additionalProperties: false,
  properties: {
    format_version: { const: 1 },
    lengths: {
      type: "array",
      maxItems: MAX_SEQUENCES,
      items: count(1, Number.MAX_SAFE_INTEGER),
    },
    data_parallel: count(1, MAX_RANKS),
    context_parallel: count(1, MAX_RANKS),
    bucket: count(1, Number.MAX_SAFE_INTEGER),
    padding: { enum: PADDINGS, default: "exact" },
    cost: {
      type: "object",
      required: ["a1", "a2", "comm"],
      additionalProperties: false,
      properties: {
        a1: quantity,
        a2: quantity,
        fixed: { ...quantity, default: 0 },
        small_shard_tokens: { ...quantity, default: 0 },
        comm: {
          type: "object",
          description: "A row [c0, ca, cb] by the degree of the group, 2 or more.",
          additionalProperties: false,
          patternProperties: {
            "^([2-9]|[1-9][0-9]+)$": { type: "array", items: quantity, minItems: 3, maxItems: 3 },
          },
        },
      },
    },
    policy: { enum: POLICIES, default: "auto" },
    degrees: { enum: DEGREE_CLASSES, default: "local-or-all" },
    objective: { enum: OBJECTIVES, default: "lockstep" },
    iterations: { ...count(0, Number.MAX_SAFE_INTEGER), default: 0 },
    time_budget_ms: { ...quantity, default: 0 },
    seed: { ...count(0, Number.MAX_SAFE_INTEGER), default: 0 },
  },
} as const;
