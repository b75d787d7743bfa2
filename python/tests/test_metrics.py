"""The files of figures: whole lines of JSON, whatever happened to the run before."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.metrics import MetricsLog

ENTRY = {
    "step": 0,
    "loss": 1.5,
    "gradient_norm": math.inf,
    "tokens_per_second": 10.0,
    "sequences": 1,
    "micro_batches": 1,
    "seconds": 1.0,
    "predicted_seconds": 1.0,
}


def refuse(constant: str) -> float:
    """Python reads what JSON does not have."""
    raise AssertionError(constant)


def test_lines_are_json_where_figures_are_not_finite(tmp_path: Path):
    log = MetricsLog(tmp_path, 0, 1)
    log.add(ENTRY)
    log.add_evaluation(1, math.nan, 1.0)
    for name in ("metrics", "evaluation"):
        json.loads((tmp_path / f"{name}.jsonl").read_text(), parse_constant=refuse)


def test_what_a_kill_or_a_bad_disk_left_is_dropped(tmp_path: Path):
    lines = [
        b'{"step": 0}',
        b'{"step": \xff}',
        b"\x00\x00",
        b'{"step": 5}',
        b'{"step": 1}',
        b'{"st',
    ]
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    MetricsLog(tmp_path, 2, 1)
    assert (tmp_path / "metrics.jsonl").read_text() == '{"step": 0}\n{"step": 1}\n'


def test_what_cannot_be_written_anew_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "metrics.jsonl"
    file.write_text('{"step": 0}\n')
    write = Path.write_text

    def half(path: Path, text: str) -> int:
        write(path, text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(UserError, match=r"metrics\.jsonl: cannot be written \(No space left"):
        MetricsLog(tmp_path, 1, 1)
    assert file.read_text() == '{"step": 0}\n'
