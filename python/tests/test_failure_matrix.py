"""One rank fails at every kind of point, in every way: all ranks end in time, and each says the first cause last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import failure_cases
import launch
import pytest
from pairwise import pairs_of

SCRIPT = Path(__file__).with_name("failure_cases.py")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_every_failure_ends_all_ranks_with_its_cause():
    ended = subprocess.run(
        [sys.executable, str(SCRIPT), "--pairwise"],
        env={
            **os.environ,
            "PYTHONPATH": str(launch.PYTHON_ROOT),
            "DS_ACCELERATOR": "cpu",
            "OMP_NUM_THREADS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(ended.stdout[-200:])
    assert ended.returncode == 0, ended.stdout[-8000:]


@pytest.mark.parametrize(
    ("line", "is_named"),
    [
        ("error: rank 1 on a: ended without a word (process 7)", True),
        ("error: rank 1 on a: it was ended by SIGKILL; the system kills processes like this", True),
        (
            "error: rank 0 on a: it was ended by SIGKILL; the system kills processes like this",
            False,
        ),
        ("error: rank 1 on a: it was ended by SIGABRT", False),
        ("error: rank 1 on a: another rank has ended, and its output says why", False),
        ("error: a: the launcher of the ranks was ended by SIGKILL; its output says more", False),
    ],
)
def test_only_the_first_cause_is_taken_for_one(line: str, is_named: bool):
    case = {"point": "backward", "how": "kill", "victim": 1}
    assert failure_cases.names_cause(line, case) == is_named


def test_the_cases_try_every_two_settings_together():
    everything, chosen = failure_cases.all_cases(), failure_cases.pairwise_cases()
    assert len(chosen) < 40 < len(everything)
    covered = frozenset().union(*map(pairs_of, chosen))
    assert covered == frozenset().union(*map(pairs_of, everything))
