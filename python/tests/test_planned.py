"""What a run does where its planned schedules are not there; that they are replayed is tested with the compiler."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import tiny

from skrull_runtime.config import identity_of
from skrull_runtime.errors import UserError
from skrull_runtime.scheduling.replay import FILE, MAGIC
from skrull_runtime.training.prepare import planned_schedules


def test_strict_refuses_and_says_what_to_do(tmp_path: Path):
    config = replace(tiny.scheduling(2, 2, "auto"), mode="planned", strict=True)
    with pytest.raises(UserError, match=r"schedules\.bin is missing; compile again"):
        planned_schedules(tmp_path, [5, 6], config, rank=0, steps=3)


def test_else_it_schedules_online_and_says_so(tmp_path: Path, capsys):
    config = replace(tiny.scheduling(2, 2, "auto"), mode="planned")
    assert planned_schedules(tmp_path, [5, 6], config, rank=0, steps=3) is None
    assert "schedules.bin is missing; scheduling online" in capsys.readouterr().out


def test_online_does_not_look(tmp_path: Path, capsys):
    assert (
        planned_schedules(tmp_path, [5, 6], tiny.scheduling(2, 2, "auto"), rank=0, steps=3) is None
    )
    assert capsys.readouterr().out == ""


def test_fewer_steps_than_the_run_has_are_not_used(tmp_path: Path, capsys):
    config = replace(tiny.scheduling(2, 2, "auto"), mode="planned")
    body = 2 * (struct.pack("<d", 1.0) + bytes(1))  # steps without a sequence
    header = {
        "scheduling": identity_of(config),
        "steps": 2,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "lengths_sha256": hashlib.sha256(b"5,6").hexdigest(),
    }
    (tmp_path / FILE).write_bytes(MAGIC + json.dumps(header).encode() + b"\n" + body)
    assert planned_schedules(tmp_path, [5, 6], config, rank=0, steps=2) is not None
    assert planned_schedules(tmp_path, [5, 6], config, rank=0, steps=3) is None
    assert "they are of 2 steps, the run has 3; scheduling online" in capsys.readouterr().out
