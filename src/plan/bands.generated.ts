// Written by `npm run bench:truth -- --write`. Do not edit.

/** The error within which four fifths of the published runs of a kind lie, and how many those are. */
export const BANDS = {
  all: {
    time: {
      error: 0.25,
      points: 118
    },
    memory: {
      error: 0.18,
      points: 31
    }
  },
  kinds: {
    offload: {
      time: {
        error: 0.32,
        points: 18
      },
      memory: {
        error: 0.19,
        points: 8
      }
    },
    "one GPU": {
      time: {
        error: 0.26,
        points: 30
      },
      memory: {
        error: 0.13,
        points: 10
      }
    },
    "one node": {
      time: {
        error: 0.2,
        points: 34
      },
      memory: {
        error: 0.18,
        points: 13
      }
    },
    "several nodes": {
      time: {
        error: 0.22,
        points: 29
      },
      memory: {
        error: 0.18,
        points: 31
      }
    },
    "shared sequences": {
      time: {
        error: 0.29,
        points: 7
      },
      memory: {
        error: 0.18,
        points: 31
      }
    }
  }
} as const;
