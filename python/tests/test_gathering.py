"""ZeRO 3 gathers the weights of a recomputed layer once for its forward and its backward, and trains the same."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import tiny

WORKER = Path(__file__).with_name("gather_worker.py")
LAYER = 32 * (32 + 32 + 32) + 3 * 32 * 64  # weights of attention and of the MLP


def settings(layers: float, persistent: int) -> dict[str, int]:
    """As the compiler emits them where ``layers`` is 2: see ``src/cost/zero-gather.ts``."""
    return {
        "stage3_prefetch_bucket_size": int(layers * LAYER / 2),
        "stage3_max_live_parameters": int(layers * LAYER),
        "stage3_max_reuse_distance": int(layers * LAYER),
        "stage3_param_persistence_threshold": persistent,
    }


def test_a_recomputed_layer_is_gathered_once_for_both_of_its_uses(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps(tiny.CONFIG | {"num_hidden_layers": 6}))
    cases = {"half a layer": settings(0.5, 0), "two layers": settings(2, 10 * 32)}
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    launch.run(2, WORKER, str(tmp_path))
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["same"]
    share = {name: found[name]["elements"] / found["parameters"] for name in cases}
    # Forward, recomputed forward and backward are three uses.
    assert share["half a layer"] > 2.5
    assert 1.8 < share["two layers"] < 2
