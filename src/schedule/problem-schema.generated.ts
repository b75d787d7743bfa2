// Generated from contract/schedule-problem.schema.json by scripts/generate-contract.mjs. Do not edit.

export const PROBLEM_SCHEMA = {
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "A scheduling problem, as `skrull schedule` takes it",
  "type": "object",
  "additionalProperties": false,
  "required": [
    "format_version",
    "lengths",
    "data_parallel",
    "context_parallel",
    "bucket",
    "cost"
  ],
  "properties": {
    "format_version": {
      "const": 1
    },
    "lengths": {
      "type": "array",
      "maxItems": 1048576,
      "items": {
        "$ref": "#/definitions/Tokens"
      }
    },
    "data_parallel": {
      "$ref": "#/definitions/Degree"
    },
    "context_parallel": {
      "$ref": "#/definitions/Degree"
    },
    "bucket": {
      "$ref": "#/definitions/Tokens",
      "description": "BucketSize C: tokens that a rank holds in one micro-batch."
    },
    "padding": {
      "$ref": "#/definitions/Padding",
      "default": "exact"
    },
    "cost": {
      "$ref": "#/definitions/Cost"
    },
    "policy": {
      "$ref": "#/definitions/Policy",
      "default": "auto"
    },
    "degrees": {
      "$ref": "#/definitions/DegreeClass",
      "default": "local-or-all"
    },
    "objective": {
      "$ref": "#/definitions/Objective",
      "default": "lockstep"
    },
    "iterations": {
      "type": "integer",
      "minimum": 0,
      "maximum": 1000000000,
      "default": 0,
      "description": "Moves of the search."
    },
    "time_budget_ms": {
      "type": "number",
      "minimum": 0,
      "maximum": 86400000,
      "default": 0
    },
    "seed": {
      "type": "integer",
      "minimum": 0,
      "maximum": 9007199254740991,
      "default": 0
    }
  },
  "definitions": {
    "Tokens": {
      "type": "integer",
      "minimum": 1,
      "maximum": 9007199254740991
    },
    "Degree": {
      "type": "integer",
      "minimum": 1,
      "maximum": 65536
    },
    "Padding": {
      "description": "How a shared sequence's length is rounded: not at all, or to a multiple of twice its degree.",
      "enum": [
        "exact",
        "zigzag"
      ]
    },
    "Cost": {
      "description": "Times in us.",
      "type": "object",
      "additionalProperties": false,
      "required": [
        "a1",
        "a2",
        "comm"
      ],
      "properties": {
        "a1": {
          "$ref": "#/definitions/Time",
          "description": "Per token."
        },
        "a2": {
          "$ref": "#/definitions/Time",
          "description": "Per token squared."
        },
        "fixed": {
          "$ref": "#/definitions/Time",
          "description": "Per micro-batch.",
          "default": 0
        },
        "least": {
          "$ref": "#/definitions/Time",
          "description": "What a micro-batch takes at least besides `fixed`: starting its kernels, or communication that its work hides.",
          "default": 0
        },
        "small_shard_tokens": {
          "$ref": "#/definitions/Time",
          "description": "A shard of x tokens runs its attention at rate x / (x + this).",
          "default": 0
        },
        "comm": {
          "type": "object",
          "description": "By degree.",
          "propertyNames": {
            "pattern": "^([2-9]|[1-9][0-9]{1,5})$"
          },
          "additionalProperties": {
            "$ref": "#/definitions/CommunicationCost"
          }
        }
      }
    },
    "Time": {
      "description": "us. Beyond any real time, and small enough that no sum or square overflows.",
      "type": "number",
      "minimum": 0,
      "maximum": 1e+100
    },
    "CommunicationCost": {
      "description": "Of a group of d ranks in one micro-batch: `max(c0, ca + cb * V)` us for V tokens sharded over it.",
      "type": "array",
      "minItems": 3,
      "maxItems": 3,
      "items": {
        "$ref": "#/definitions/Time"
      }
    },
    "Policy": {
      "description": "Scheduling policies.",
      "enum": [
        "auto",
        "skrull-paper",
        "round-robin",
        "dacp",
        "sorted",
        "packed",
        "deepspeed"
      ]
    },
    "DegreeClass": {
      "description": "Sizes of the groups that may share a sequence: 1 and the context-parallel degree; powers of two up to it; powers of two over all ranks. Narrow to wide: each contains those before it.",
      "enum": [
        "local-or-all",
        "powers-of-two",
        "pool"
      ]
    },
    "Objective": {
      "description": "The time to minimise: the slowest data-parallel rank's sum, or the sum over micro-batches of the slowest rank in each.",
      "enum": [
        "free",
        "lockstep"
      ]
    }
  }
} as const;
