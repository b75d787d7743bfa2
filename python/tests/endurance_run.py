"""The run of resume_run.py over many steps, with the number of open files in its metrics; argument 1 is its folder."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from resume_run import CONFIG, SCHEDULING

from skrull_runtime import train

STEPS = 200

if __name__ == "__main__":
    entry = train.step_entry

    def with_open_files(*arguments):
        """A step's figures, and how many files the rank has open."""
        return entry(*arguments) | {"open_files": len(os.listdir("/proc/self/fd"))}

    train.step_entry = with_open_files
    longer = replace(CONFIG.train, total_steps=STEPS, checkpoint_every=40, evaluate_every=50)
    train.main(replace(CONFIG, train=longer), SCHEDULING, Path(sys.argv.pop(1)))
