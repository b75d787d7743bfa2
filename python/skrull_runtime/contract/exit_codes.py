# Generated from contract/exit-codes.json by scripts/generate-contract.mjs. Do not edit.
"""How a run has ended."""

# The run is done.
DONE = 0

# For a reason that the user can act on: a mistake, a lost rank, a full disk.
USER = 1

# Of ours or of a library, told with its traceback.
FAULT = 3

# Ctrl-C.
INTERRUPTED = 130

# SIGTERM, with a checkpoint.
STOPPED = 143
