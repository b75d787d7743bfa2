"""Keys and values travel while local sequences are attended to, and their gradients likewise."""

from __future__ import annotations

import json
from pathlib import Path

import launch

WORKER = Path(__file__).with_name("overlap_worker.py")


def events(folder: Path, slices: int) -> list[str]:
    """What happens, in order, where key-value heads are attended to in so many slices."""
    results = folder / "events.json"
    launch.run(2, WORKER, str(results), str(slices))
    return json.loads(results.read_text())


def test_collectives_are_under_way_while_local_attention_runs(tmp_path: Path):
    assert events(tmp_path, 1) == [
        "keys set out",
        "local",
        "arrived",
        "sharded",
        "sharded backward",
        "gradients set out",
        "local backward",
        "arrived",
    ]


def test_a_slice_of_heads_travels_while_the_one_before_is_attended_to(tmp_path: Path):
    forward, backward = ["keys set out", "local"], []
    forward += ["arrived", "keys set out", "sharded", "arrived", "sharded"]
    backward += ["keys set out", "arrived", "keys set out", "sharded backward", "gradients set out"]
    backward += ["arrived", "sharded backward", "arrived", "gradients set out"]
    assert events(tmp_path, 2) == [*forward, *backward, "local backward", "arrived"]
