"""What a run does where its planned schedules are not there; that they are replayed is tested with the compiler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from skrull_runtime.preparing import planned_schedules


def test_strict_refuses_and_says_what_to_do(tmp_path: Path):
    config = replace(tiny.scheduling(2, 2, "auto"), mode="planned", strict=True)
    with pytest.raises(ValueError, match=r"schedules\.bin is missing; compile again"):
        planned_schedules(tmp_path, [5, 6], config, rank=0)


def test_else_it_schedules_online_and_says_so(tmp_path: Path, capsys):
    config = replace(tiny.scheduling(2, 2, "auto"), mode="planned")
    assert planned_schedules(tmp_path, [5, 6], config, rank=0) is None
    assert "schedules.bin is missing; scheduling online" in capsys.readouterr().out


def test_online_does_not_look(tmp_path: Path, capsys):
    assert planned_schedules(tmp_path, [5, 6], tiny.scheduling(2, 2, "auto"), rank=0) is None
    assert capsys.readouterr().out == ""
