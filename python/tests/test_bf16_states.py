"""AdamW whose moments and master copy are in bf16: one step is plain PyTorch's in bf16, and it resumes bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import pytest
import tiny

WORKER = Path(__file__).with_name("optimizers_worker.py")
CASES = [
    {"zero": 1, "gradients": "model"},
    {"zero": 2, "gradients": "fp32", "reduction": "once", "context": 2},
    {"zero": 2, "gradients": "fp32"},
    {"zero": 3, "gradients": "fp32", "context": 2},
]


def test_states_in_bf16_train_as_plain_bf16_does(tmp_path: Path):
    tiny.write_config(tmp_path)
    common = {"optimizer": "adamw-bf16", "precision": "bf16"}
    (tmp_path / "cases.json").write_text(json.dumps([{**common, **case} for case in CASES]))
    launch.run(2, WORKER, str(tmp_path / "cases.json"), str(tmp_path / "results.json"))
    results = json.loads((tmp_path / "results.json").read_text())
    for case, found in zip(CASES, results, strict=True):
        # A unit in the last place of the largest weights that move: norms, at 1, do not.
        assert found["first"] <= 2**-11 < found["moved"], (case, found)
        assert found["last"] < 0.03, (case, found)
        assert found["bytes"] == pytest.approx(4), (case, found)
        assert found["resumed"] == 0, (case, found)
