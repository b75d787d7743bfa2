"""Scheduling problems, tight and mutated, through the runtime's scheduler: ``npm run test:long -- schedules-python
[COUNT] [SEED]``. The documents are those of ``scripts/long-schedules.mjs``, so that both programs meet the same."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from skrull_runtime.scheduling import ScheduleError, schedule

ROOT = Path(__file__).parents[2]
SLOWEST = 60.0  # seconds
FAULTS_SHOWN = 10


def outcome_of(document: object) -> str:
    """``schedule``, or the code of the error; anything else that is raised is a fault."""
    try:
        answer = schedule(document)  # type: ignore[arg-type]
    except ScheduleError as error:
        return error.code
    placed = sorted(p["sequence"] for m in answer["micro_batches"] for p in m["placements"])
    if placed != list(range(len(document["lengths"]))):  # type: ignore[index]
        raise AssertionError("not every sequence is placed once")
    return "schedule"


def main() -> int:
    """Prints what became of the problems; 1 where one was a fault."""
    count, seed = (
        [int(argument) for argument in sys.argv[1:]] + [100_000, 1][len(sys.argv) - 1 :]
    )[:2]
    printing = ["node", "scripts/long-schedules.mjs", str(count), str(seed), "--print"]
    outcomes: Counter[str] = Counter()
    slowest, faults, started = (0.0, -1), 0, time.monotonic()
    with subprocess.Popen(printing, cwd=ROOT, stdout=subprocess.PIPE, text=True) as documents:
        assert documents.stdout is not None
        for n, line in enumerate(documents.stdout):
            begun = time.monotonic()
            try:
                outcomes[outcome_of(json.loads(line))] += 1
            except Exception as error:  # every fault is counted, whatever it is
                faults += 1
                if faults <= FAULTS_SHOWN:
                    print(f"problem {n} of seed {seed}: {type(error).__name__}: {error}")
            slowest = max(slowest, (time.monotonic() - begun, n))
    faults += slowest[0] > SLOWEST
    seconds = time.monotonic() - started
    print(f"{sum(outcomes.values()) + faults} problems, seed {seed}, {seconds:.0f} s")
    print(json.dumps(dict(outcomes)))
    print(f"slowest: problem {slowest[1]}, {slowest[0] * 1e3:.0f} ms")
    print(f"{faults} internal errors or hangs")
    return 1 if faults or sum(outcomes.values()) < count else 0


if __name__ == "__main__":
    sys.exit(main())
