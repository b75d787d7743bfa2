// Generated from contract/learning-rates.json by scripts/generate-contract.mjs. Do not edit.

/** Parameters of every schedule. */
export const LEARNING_RATES = {
  "constant": {
    "warmup_steps": {
      "type": {
        "kind": "integer",
        "range": {
          "min": 0,
          "max": 1000000000
        }
      },
      "doc": "Steps over which the rate rises from zero.",
      "since": 1,
      "default": 0
    },
    "warmup_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "The same as a share of all steps, to the nearest whole step.",
      "since": 1,
      "optional": "from `warmup_steps`"
    }
  },
  "linear": {
    "warmup_steps": {
      "type": {
        "kind": "integer",
        "range": {
          "min": 0,
          "max": 1000000000
        }
      },
      "doc": "Steps over which the rate rises from zero.",
      "since": 1,
      "default": 0
    },
    "warmup_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "The same as a share of all steps, to the nearest whole step.",
      "since": 1,
      "optional": "from `warmup_steps`"
    },
    "min_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "Rate at the end, as a share of the peak.",
      "since": 1,
      "default": 0
    }
  },
  "cosine": {
    "warmup_steps": {
      "type": {
        "kind": "integer",
        "range": {
          "min": 0,
          "max": 1000000000
        }
      },
      "doc": "Steps over which the rate rises from zero.",
      "since": 1,
      "default": 0
    },
    "warmup_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "The same as a share of all steps, to the nearest whole step.",
      "since": 1,
      "optional": "from `warmup_steps`"
    },
    "min_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "Rate at the end, as a share of the peak.",
      "since": 1,
      "default": 0
    }
  },
  "warmup-stable-decay": {
    "warmup_steps": {
      "type": {
        "kind": "integer",
        "range": {
          "min": 0,
          "max": 1000000000
        }
      },
      "doc": "Steps over which the rate rises from zero.",
      "since": 1,
      "default": 0
    },
    "warmup_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "The same as a share of all steps, to the nearest whole step.",
      "since": 1,
      "optional": "from `warmup_steps`"
    },
    "min_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "max": 1
        }
      },
      "doc": "Rate at the end, as a share of the peak.",
      "since": 1,
      "default": 0
    },
    "decay_ratio": {
      "type": {
        "kind": "number",
        "range": {
          "min": 0,
          "above": true,
          "max": 1
        }
      },
      "doc": "Share of all steps, at the end of the run, over which the rate falls linearly.",
      "since": 1,
      "default": 0.1
    }
  }
} as const;

/** Shares of all steps, and the run's key that has them in steps. */
export const IN_STEPS = {
  "warmup_ratio": "warmup_steps",
  "decay_ratio": "decay_steps"
} as const;

/** Of a run, where its schedule has no such parameter. */
export const NO_PARAMETERS = {
  "warmup_steps": 0,
  "min_ratio": 0,
  "decay_steps": 0
} as const;
