"""Attention over packed, sharded and sliced layouts is plain attention over whole sequences, forward and backward."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import launch
import pytest
from pairwise import pairwise

RANKS = 4
FACTORS: dict[str, list[Any]] = {
    "sequences": ["one", "several", "many"],
    "degrees": [(1,), (2,), (4,), (1, 2), (1, 4), (1, 2, 4)],
    "window": [None, 1, 3, 7, 40],
    "reached": [True, False],  # whether a window's rows alone are exchanged
    "sinks": [False, True],
    "softcap": [False, True],
    "value_width": [8, 5],  # keys are 8 wide
    "workspace": [1, 6_000, None],  # bytes: a head at a time, some, all
    "recomputes": [
        False,
        True,
    ],  # layers, so that keys are exchanged again in the backward where they are sliced
}
COUNTS = {"one": 1, "several": 5, "many": 17}


def case_of(settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """A layout by these settings."""
    source = random.Random(seed)
    lengths = [source.randint(1, 60) for _ in range(COUNTS[settings["sequences"]])]
    placements = []
    for sequence in range(len(lengths)):
        degree = source.choice(settings["degrees"])
        first = source.randrange(0, RANKS, degree)
        placements.append({"sequence": sequence, "degree": degree, "first_rank": first})
    return {**settings, "seed": seed, "lengths": lengths, "placements": placements}


def test_attention_is_that_of_whole_sequences(tmp_path: Path):
    settings = pairwise(FACTORS, lambda case: True)
    cases = [case_of(own, seed) for seed, own in enumerate(settings)]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    worker = Path(__file__).with_name("attention_worker.py")
    launch.run(RANKS, worker, str(tmp_path / "cases.json"), str(tmp_path / "results.json"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert len(results) == len(cases)
    assert dict(enumerate(results)) == pytest.approx(dict.fromkeys(range(len(cases)), 0), abs=1e-10)
