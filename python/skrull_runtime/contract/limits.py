# Generated from contract/limits.json by scripts/generate-contract.mjs. Do not edit.
"""Numbers on which both schedulers decide."""

# Ranks of a machine.
MOST_RANKS = 65536

# Sequences times ranks: larger problems are refused rather than left to run for hours.
MOST_PAIRS = 1073741824

# All tokens times ranks: keeps the memory of any schedule an exact integer in both programs.
MOST_TOKEN_RANKS = 4503599627370496

# Restarts with one bin more, before bins are opened as they are needed.
RESTARTS = 3

# With cells fuller than this, one more may leave room for sequences to stay whole.
NEARLY_FULL = 0.7

# Exchanges between rows, per row.
ROUNDS_PER_ROW = 2

# Exchanges between ranks, per rank of a cell.
ROUNDS_PER_RANK = 2

# Thresholds that are placed: the others are ruled out by their bounds, or nearly so.
MOST_TRIES = 4

# How often a single sequence is widened before all of its degree are.
SINGLE_WIDENINGS = 16

# Times aimed at, as multiples of an even spread of a cell's work.
TARGETS = [1, 0.7, 0.5, 1.4]

# Random streams below are epochs; those from here on choose the samples of a share.
FIRST_SHARE_STREAM = 4294967296
