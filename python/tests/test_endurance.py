"""Two hundred steps on four processes, with checkpoints and evaluations, leave nothing behind."""

from __future__ import annotations

import json
import shutil
import statistics
from pathlib import Path

import launch
from test_resume import write_run

SCRIPT = Path(__file__).with_name("endurance_run.py")


def test_neither_memory_nor_open_files_grow(tmp_path: Path):
    folder = tmp_path / "run"
    write_run(folder)
    shutil.copy(folder / "data_index.json", folder / "evaluation_index.json")
    launch.run(4, SCRIPT, str(folder))
    lines = (folder / "output" / "metrics.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["step"] for entry in entries] == list(range(200))
    early, late = entries[60:100], entries[160:200]
    # Both have seen a checkpoint and an evaluation. A leak of one micro-batch's tensors a step would be tens of MiB.
    grown = [
        statistics.median(entry["memory_resident"] for entry in part) for part in (early, late)
    ]
    assert grown[1] - grown[0] < 8 * 2**20
    assert max(entry["open_files"] for entry in late) <= max(entry["open_files"] for entry in early)
