"""Packing does not leak: changing one sequence's tokens changes no other sequence's loss."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import tiny


def test_changing_one_sequence_changes_no_other(tmp_path: Path):
    tiny.write_config(tmp_path)
    results_file = tmp_path / "results.json"
    launch.run(2, Path(__file__).with_name("leak_worker.py"), str(tmp_path), str(results_file))
    results = json.loads(results_file.read_text())
    for kind in ("local", "sharded"):
        assert results[kind]["own"] > 1e-3, kind
        assert results[kind]["others"] == 0.0, kind
