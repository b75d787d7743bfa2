"""Causes are written whole, read back, and ordered so that the first is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from skrull_runtime.guarding.cause import CODES, Cause, first_of, forget, read_all

CAUSE = Cause(1, "node", 7, 5.0, 1, "user", "the disk is full", True)


def test_a_cause_comes_back_as_it_was_written(tmp_path: Path):
    own, told = CAUSE, replace(CAUSE, rank=3, reason='"quoted"\nand a second line')
    own.write(tmp_path)
    told.write(tmp_path, by=2)
    assert read_all(tmp_path) == [own, told]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rank-1.json", "rank-2.json"]
    forget(tmp_path, 1)
    forget(tmp_path, 1)
    assert read_all(tmp_path) == [told]


def test_the_cause_of_now_names_this_process():
    for kind, code in CODES.items():
        cause = Cause.of(0, kind, "because")
        assert (cause.code, cause.primary) == (code, True)
        assert cause.pid > 0 and cause.host


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        json.dumps({"rank": 1}),
        json.dumps(CAUSE.to_json() | {"kind": "odd"}),
        json.dumps(CAUSE.to_json() | {"reason": 5}),
        json.dumps(CAUSE.to_json() | {"more": 5}),
    ],
)
def test_what_is_no_cause_is_passed_over(content: str, tmp_path: Path):
    CAUSE.write(tmp_path)
    (tmp_path / "rank-0.json").write_text(content)
    assert read_all(tmp_path) == [CAUSE]


def test_the_first_cause_is_told_before_any_symptom():
    symptom = replace(CAUSE, time=1.0, primary=False)
    later = replace(CAUSE, time=9.0, rank=0)
    assert first_of([symptom, later, CAUSE]) == CAUSE
    assert first_of([symptom]) == symptom
    assert first_of([]) is None


def test_a_stopped_run_has_no_error():
    assert CAUSE.line() == "error: rank 1 on node: the disk is full"
    stopped = replace(CAUSE, kind="stopped", reason="stopped by SIGTERM after 3 steps")
    assert stopped.line() == "stopped by SIGTERM after 3 steps"
