"""A step trains what it should or changes nothing: gradients that are not finite, and dropout over interruptions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import launch
import pytest
import tiny
import torch
from numbers_worker import POISONED, STEPS, WRAPPERS

from skrull_runtime.training.step import seed_noise

WORKER = Path(__file__).with_name("numbers_worker.py")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Of one start of the processes."""
    folder = tmp_path_factory.mktemp("numbers")
    tiny.write_config(folder)
    launch.run(2, WORKER, str(folder))
    return json.loads((folder / "results.json").read_text())


def test_a_step_with_a_gradient_that_is_not_finite_can_be_skipped(results: dict):
    found = results["non_finite"]
    assert [tuple(result["wrapper"]) for result in found] == list(WRAPPERS)
    for result in found:
        assert result["skipped"] == [False, True, False], result
        assert result["counted"] == [0, 1, 1], result
        first, skipped, last = result["norms"]
        assert first > 0.1 and skipped is None and last > 0.1, result  # before clipping
        assert result["kept"], result
        # The steps around it train what they would without it.
        tolerance = 1e-5 if result["wrapper"][1] == "fp32" else 4e-3
        assert result["off"] < tolerance, result
        assert result["moved"] > 5e-4, result


def test_a_gradient_that_is_not_finite_names_its_micro_batch_and_samples(results: dict):
    for result in results["non_finite"]:
        pattern = r"the gradient of step 1 is not finite, in micro-batch (\d+)"
        named = re.fullmatch(pattern, result["message"])
        assert named and int(named[1]) < result["micro_batches"], result
        assert result["micro_batches"] > 1, result
        assert POISONED in result["samples"], result
        assert set(result["samples"]) < set(STEPS[1]), result


def test_dropout_is_the_same_after_an_interruption_and_in_recomputation(results: dict):
    assert results["dropout"] == {
        "resumed": True,
        "recomputed": True,
        "resumed from layer inputs on the host": True,
        "other seed": False,
        "resumed and recomputed with tiles": True,
    }


def test_no_two_micro_batches_draw_the_same():
    def drawn(*place: int) -> float:
        seed_noise(*place)
        return torch.rand(()).item()

    places = [(1, 2, 3, 4), (2, 2, 3, 4), (1, 3, 3, 4), (1, 2, 4, 4), (1, 2, 3, 5), (12, 3, 4, 5)]
    assert len({drawn(*place) for place in places}) == len(places)
    assert drawn(*places[0]) == drawn(*places[0])
