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

# Exchanges between rows, per row.
ROUNDS_PER_ROW = 2

# Exchanges between ranks, per rank of a cell.
ROUNDS_PER_RANK = 2

# Thresholds that are placed: the others are ruled out by their bounds, or nearly so.
MOST_TRIES = 4

# How often a single sequence is widened before all of its degree are.
SINGLE_WIDENINGS = 16

# Times aimed at without search, as multiples of an even spread of a cell's work.
TARGETS = [1, 0.7, 0.5, 1.4]

# Of so many of a cell's longest sequences, what each takes alone is a time aimed at too.
LONGEST_AIMED_AT = 2

# Times aimed at that are placed, the most promising of them.
MOST_AIMS = 6

# A schedule that takes no longer than so many times an even spread of its work is not constructed again in other ways.
NEARLY_EVEN = 1.01

# Cells beyond the fewest that memory allows, tried without search.
MORE_CELLS = 1

# Sequences of a batch times ways to cut it into cells that are tried without search; one way is tried whatever it is.
MOST_CUT = 1536

# Sequences of a batch times places of bands that are tried without search, in each number of cells.
MOST_BANDED = 2048

# Places of bands in the order of lengths that are tried without search.
BAND_TRIES = 8

# Cells a row beyond the fewest that bands are tried in.
MORE_BANDS = 2

# Bands that take so many times as long as the best are not tried in more cells.
FAR_BEHIND = 1.05

# Random streams below are epochs; those from here on choose the samples of a share.
FIRST_SHARE_STREAM = 4294967296
