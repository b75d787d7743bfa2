"""``python -m skrull_runtime.checkpoints.convert``: DeepSpeed's conversion to a universal checkpoint, restricted to
unpickling what our own runs write."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..launching.tree import end_with_parent

RANK_PID = "SKRULL_RANK_PID"  # of the process that this one works for and ends with

if __name__ == "__main__":
    end_with_parent(int(os.environ[RANK_PID]))  # before the imports, which take seconds

    from deepspeed.checkpoint import ds_to_universal

    from .unpickling import name_outside, restricted

    arguments = ds_to_universal.parse_arguments()
    if problem := name_outside(Path(arguments.input_folder)):
        sys.exit(problem)
    with restricted():
        ds_to_universal.main(arguments)
