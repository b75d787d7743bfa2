"""One rank fails under the real launchers: the first cause is the last line, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from launcher_cases import case_of, problem_of


@pytest.mark.parametrize(
    ("launcher", "point", "how"),
    [
        ("deepspeed", "backward", "raise"),
        ("torchrun", "checkpoint", "kill"),
        ("torchrun", "optimizer", "stop"),
        ("deepspeed", "worker", "kill"),
    ],
)
def test_a_failing_rank_ends_the_launcher(tmp_path: Path, launcher: str, point: str, how: str):
    case = case_of(launcher, point, how, number=len(point))
    problem = problem_of(case, tmp_path / "run")
    assert problem is None, problem
