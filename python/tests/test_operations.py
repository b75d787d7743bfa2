"""What attention adds to a layer does not grow with the number of sequences, nor stop the host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import launch
import pytest

TOKENS, DEGREE = 8192, 4  # of a rank, whatever the number of sequences that they are of
COUNTS = (1, 16, 256)
MOST_LAUNCHES = 12  # of a group in a layer's forward, the kernel itself left out
LONG, RANKS, WINDOW = 128 * 1024, 8, 128


def case(groups: list[Any], local: list[int] | None = None, window: int | None = None) -> Any:
    """For the worker."""
    windows = [] if window is None else [window]
    return {"groups": groups, "local": local or [], "window": window, "windows": windows}


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Figures of all cases, from one process."""
    cases = {
        **{f"{n} sequences": case([[DEGREE, [TOKENS // (2 * n)] * n]]) for n in COUNTS},
        "two groups": case([[2, [100] * 3], [4, [100] * 5]], [700, 300]),
        "full": case([[RANKS, [LONG // (2 * RANKS)]]]),
        "windowed": case([[RANKS, [LONG // (2 * RANKS)]]], window=WINDOW),
    }
    folder = tmp_path_factory.mktemp("operations")
    (folder / "cases.json").write_text(json.dumps([*cases.values()]))
    worker = Path(__file__).with_name("operations_worker.py")
    launch.run(1, worker, str(folder / "cases.json"), str(folder / "results.json"))
    results = json.loads((folder / "results.json").read_text())
    return dict(zip(cases, results, strict=True))


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_operations_do_not_grow_with_sequences(counted: dict[str, Any], way: str):
    one, *more = (counted[f"{n} sequences"][way] for n in COUNTS)
    for own in more:
        assert own["launches"] <= 1.05 * one["launches"]
        assert own["bytes"] <= 1.1 * one["bytes"]
        assert own["kernels"] == one["kernels"] > 0


def test_a_group_adds_few_launches(counted: dict[str, Any]):
    for name, own in counted.items():
        groups = 2 if name == "two groups" else 1
        assert 0 < own["forward"]["launches"] <= MOST_LAUNCHES * groups, name


def test_no_layer_stops_the_host(counted: dict[str, Any]):
    for name, own in counted.items():
        assert own["forward"]["synchronisations"] == own["backward"]["synchronisations"] == 0, name


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_a_window_is_all_that_is_exchanged(counted: dict[str, Any], way: str):
    full, windowed = (counted[name][way]["received"] for name in ("full", "windowed"))
    assert 0 < windowed <= 0.01 * full
