"""Parity over everything together, not only pairwise: ``npm run test:parity-product [-- RANKS [FIRST [LAST]]]``.

Hours on two cores; it says what it ran, and every case that is off. Cases are numbered, so that a part can be run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import launch
import tiny
from parity_cases import all_cases
from test_parity import TOLERANCE, WORKER

AT_ONCE = 40  # cases a start of the processes


def main() -> int:
    """Exit code 1 where a case is off."""
    ranks = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    everything = all_cases(ranks)
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    last = int(sys.argv[3]) if len(sys.argv) > 3 else len(everything)
    off, worst, done = 0, 0.0, 0
    for start in range(first, min(last, len(everything)), AT_ONCE):
        chosen = everything[start : min(start + AT_ONCE, last)]
        for case, result in zip(chosen, run(ranks, chosen), strict=True):
            done += 1
            worst = max(worst, result["parameters"] / TOLERANCE[case["optimizer"]])
            if result["parameters"] > TOLERANCE[case["optimizer"]] or result["losses"] > 1e-5:
                off += 1
                print(f"off: {case} {result}", flush=True)
        print(f"{done} of {last - first} cases run, {off} off", flush=True)
    print(
        f"{done} of {len(everything)} cases on {ranks} ranks: {off} off; the largest difference of a parameter is"
        f" {worst:.3f} of what is tolerated"
    )
    return 1 if off else 0


def run(ranks: int, chosen: list[dict]) -> list[dict]:
    """Results of the cases, in one start of the processes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for family in {case["family"] for case in chosen}:
            tiny.write_config(folder / family, family)
        (folder / "cases.json").write_text(json.dumps(chosen))
        arguments = str(folder / "cases.json"), str(folder / "results.json")
        launch.run(ranks, WORKER, *arguments, timeout=3600)
        return json.loads((folder / "results.json").read_text())


if __name__ == "__main__":
    sys.exit(main())
