"""Parameters after training equal those of plain single-process PyTorch on the same global batches.

ZeRO 0 to 3, context parallel 1, 2 and 4, groups of several sizes inside and across context-parallel groups, SGD and
AdamW, with sequences local and sharded, ranks without sequences,
a global batch of one sequence, varying numbers of micro-batches, every checkpointing mode, and model families with
sliding windows, experts, plain MLPs and one to four key/value heads.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import launch
import pytest
import tiny

TOLERANCE = {"sgd": 1e-6, "adamw": 1e-5}
WORKER = Path(__file__).with_name("parity_worker.py")


def cases(ranks: int) -> list[dict]:
    """Every combination of ZeRO stage, degree and optimizer; checkpointing and policy take turns."""
    turns = itertools.cycle(
        itertools.product(("none", "selective", "full"), ("auto", "skrull-paper"))
    )
    degrees = [degree for degree in (1, 2, 4) if ranks % degree == 0]
    product = itertools.product((0, 1, 2, 3), degrees, ("sgd", "adamw"))
    found = [
        {
            "zero": zero,
            "context": context,
            "optimizer": optimizer,
            "checkpointing": mode,
            "policy": policy,
            "degrees": "local-or-all",
            "family": "qwen2",
        }
        for (zero, context, optimizer), (mode, policy) in zip(product, turns, strict=False)
    ]
    return found + [
        {**case, "policy": "auto", "degrees": degrees}
        for degrees, context in (("powers-of-two", 4), ("pool", 2), ("pool", 1))
        for case in found
        if case["context"] == context and ranks == 4
    ]


def family_cases() -> list[dict]:
    """Every other family, sharded over two ranks; stages, optimizers and checkpointing take turns."""
    turns = itertools.cycle(
        [(2, "sgd", "full"), (3, "adamw", "selective"), (0, "adamw", "none"), (3, "sgd", "full")]
    )
    return [
        {
            "zero": zero,
            "context": 2,
            "optimizer": optimizer,
            "checkpointing": mode,
            "policy": "skrull-paper",
            "degrees": "local-or-all",
            "family": family,
        }
        for family, (zero, optimizer, mode) in zip(
            [name for name in tiny.FAMILIES if name != "qwen2"], turns, strict=False
        )
    ]


def run_cases(ranks: int, chosen: list[dict], folder: Path) -> list[dict]:
    """Results of the cases, every one of which must equal plain training."""
    for family in {case["family"] for case in chosen}:
        tiny.write_config(folder / family, family)
    (folder / "cases.json").write_text(json.dumps(chosen))
    launch.run(ranks, WORKER, str(folder / "cases.json"), str(folder / "results.json"))
    results = json.loads((folder / "results.json").read_text())
    assert len(results) == len(chosen)
    pairs = list(zip(chosen, results, strict=True))
    too_far = [
        (case, result)
        for case, result in pairs
        if not (result["parameters"] <= TOLERANCE[case["optimizer"]] and result["losses"] <= 1e-5)
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
    chosen = cases(ranks)
    results = run_cases(ranks, chosen, tmp_path)
    # The cases are what they are meant to be: ranks without sequences, several micro-batches, sharding.
    assert any(result["dummies"] > 0 for result in results)
    assert any(len(set(result["micro_batches"])) > 1 for result in results)
    several = [
        set(result["degrees"])
        for case, result in zip(chosen, results, strict=True)
        if case["degrees"] != "local-or-all"
    ]
    assert ranks == 2 or set.union(*several) == {2, 4}


def test_other_families_equal_plain_training(tmp_path: Path):
    run_cases(2, family_cases(), tmp_path)
