"""Parameters after training equal those of plain single-process PyTorch on the same global batches.

Every two together of: ZeRO stage, context parallel 1, 2 and 4, groups of several sizes inside and across
context-parallel groups, optimizer, checkpointing, offload, clipping by the global norm (which is compared too), adapters, one reduction a
step, and four model families; with sequences local and sharded, ranks without sequences, a global batch of one
sequence and varying numbers of micro-batches. What saves memory is tried pairwise too: layer inputs on the host and
tiles of MLPs. Further families have sliding windows, experts and plain MLPs.
``parity_product.py`` runs everything together.
"""

from __future__ import annotations

import json
from pathlib import Path

import launch
import pytest
import tiny
from pairwise import Case, pairs_of
from parity_cases import all_cases, family_cases, pairwise_cases, saver_cases

TOLERANCE = {"sgd": 1e-6, "adamw": 1e-5}
WORKER = Path(__file__).with_name("parity_worker.py")


def run_cases(ranks: int, chosen: list[Case], folder: Path) -> list[dict]:
    """Results of the cases, every one of which must equal plain training."""
    for family in {case["family"] for case in chosen}:
        tiny.write_config(folder / family, family)
    (folder / "cases.json").write_text(json.dumps(chosen))
    arguments = str(folder / "cases.json"), str(folder / "results.json")
    launch.run(ranks, WORKER, *arguments, timeout=1800)
    results = json.loads((folder / "results.json").read_text())
    assert len(results) == len(chosen)
    pairs = list(zip(chosen, results, strict=True))
    too_far = [
        (case, result)
        for case, result in pairs
        if not (
            result["parameters"] <= TOLERANCE[case["optimizer"]]
            and result["losses"] <= 1e-5
            and result["norms"] <= 1e-5
        )
    ]
    assert too_far == []
    # A run that trains nothing would be equal to nothing.
    assert all(result["moved"] > 100 * TOLERANCE[case["optimizer"]] for case, result in pairs)
    narrow = [
        result
        for case, result in pairs
        if case["degrees"] == "local-or-all" and case["context"] > 1
    ]
    assert all(result["sharded"] > 0 for result in narrow)
    return results


@pytest.mark.parametrize("ranks", [2, 4])
def test_parameters_equal_plain_training(ranks: int, tmp_path: Path):
    chosen = pairwise_cases(ranks)
    results = run_cases(ranks, chosen, tmp_path)
    # The cases are what they are meant to be: ranks without sequences, several micro-batches, sharding.
    assert any(result["dummies"] > 0 for result in results)
    assert any(len(set(result["micro_batches"])) > 1 for result in results)
    assert any(0 < case["clip"] < r["norm"] for case, r in zip(chosen, results, strict=True))
    several = [
        set(result["degrees"])
        for case, result in zip(chosen, results, strict=True)
        if case["degrees"] != "local-or-all"
    ]
    assert ranks == 2 or set.union(*several) == {2, 4}


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_cases_try_every_two_settings_together(ranks: int):
    everything = all_cases(ranks)
    chosen = pairwise_cases(ranks)
    assert len(chosen) < len(everything) / 10
    covered = frozenset().union(*map(pairs_of, chosen))
    assert covered == frozenset().union(*map(pairs_of, everything))


def test_what_saves_memory_equals_plain_training(tmp_path: Path):
    run_cases(2, saver_cases(), tmp_path)


def test_other_families_equal_plain_training(tmp_path: Path):
    run_cases(2, family_cases(), tmp_path)
