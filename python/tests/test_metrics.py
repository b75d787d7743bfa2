"""The files of figures: whole lines of JSON, whatever happened to the run before."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from skrull_runtime.errors import UserError
from skrull_runtime.reporting.metrics import MetricsLog

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


def line(step: object, **others: object) -> bytes:
    """Of a step in ``metrics.jsonl``."""
    known = {"step": step, "tokens": 5, "supervised_tokens": 3, "micro_batches": 1}
    return json.dumps(known | {"seconds": 1.0, "predicted_seconds": 1.0} | others).encode()


def test_what_a_kill_or_a_bad_disk_left_is_dropped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    damaged = [b'{"step": \xff}', b"\x00\x00", b"[" * 100_000, b'{"step": 1e999}', b"{}"]
    strange = [line(-3), line("0"), line(True), line(0.5), line(math.nan), line(0, tokens=-1)]
    lines = [line(0), *damaged, line(5), *strange, line(1), b'{"st']
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    MetricsLog(tmp_path, 2, 1)
    assert (tmp_path / "metrics.jsonl").read_bytes() == line(0) + b"\n" + line(1) + b"\n"
    said = capsys.readouterr().out
    assert said == "note: 11 damaged lines of metrics.jsonl are left out\n"


def test_what_cannot_be_written_anew_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(line(0) + b"\n")
    write = Path.write_text

    def half(path: Path, text: str) -> int:
        write(path, text[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(UserError, match=r"metrics\.jsonl: cannot be written \(No space left"):
        MetricsLog(tmp_path, 1, 1)
    assert file.read_bytes() == line(0) + b"\n"
