"""The benchmark's baseline trains right: Ulysses with its loss over the global batch equals plain PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import pytest
import tiny

TOLERANCE = {"sgd": 1e-6, "adamw": 1e-5}


@pytest.mark.parametrize(("stage", "optimizer"), [(1, "adamw"), (2, "sgd")])
def test_ulysses_equals_plain_training(stage: int, optimizer: str, tmp_path: Path):
    tiny.write_config(tmp_path)
    worker = Path(__file__).with_name("ulysses_worker.py")
    launch.run(2, worker, str(tmp_path), str(stage), optimizer)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["parameters"] <= TOLERANCE[optimizer]
    assert results["losses"] <= 1e-5
    # A run that trains nothing would be equal to nothing, and padding must have been tried.
    assert results["moved"] > 100 * TOLERANCE[optimizer]
    assert results["padded"] > 0
