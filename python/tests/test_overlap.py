"""Keys and values travel while local sequences are attended to, and their gradients likewise."""

from __future__ import annotations

import json
from pathlib import Path

import launch


def test_collectives_are_under_way_while_local_attention_runs(tmp_path: Path):
    results = tmp_path / "events.json"
    launch.run(2, Path(__file__).with_name("overlap_worker.py"), str(results))
    assert json.loads(results.read_text()) == [
        "gather starts",
        "local",
        "arrived",
        "sharded",
        "sharded backward",
        "scatter starts",
        "local backward",
        "arrived",
    ]
