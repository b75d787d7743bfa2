"""Median time in ms of scheduling groups of problems, read as JSON; see speed.mjs."""

from __future__ import annotations

import json
import statistics
import sys
import time

from skrull_runtime.scheduling import schedule

REPEATS = 5


def median_time(problems: list[dict]) -> float:
    """Over all problems, several times each."""
    times = []
    for _ in range(REPEATS):
        for problem in problems:
            start = time.perf_counter()
            schedule(problem)
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


json.dump([median_time(problems) for problems in json.load(sys.stdin)], sys.stdout)
