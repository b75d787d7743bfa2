"""Parameters after training equal those of plain single-process PyTorch on the same global batches.

ZeRO 0 to 3, context parallel 1, 2 and 4, groups of several sizes inside and across context-parallel groups, SGD and
AdamW, with sequences local and sharded, ranks without sequences,
a global batch of one sequence, varying numbers of micro-batches, and every checkpointing mode.
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
        }
        for (zero, context, optimizer), (mode, policy) in zip(product, turns, strict=False)
    ]
    return found + [
        {**case, "policy": "auto", "degrees": degrees}
        for degrees, context in (("powers-of-two", 4), ("pool", 2), ("pool", 1))
        for case in found
        if case["context"] == context and ranks == 4
    ]


@pytest.mark.parametrize("ranks", [2, 4])
def test_parameters_equal_plain_training(ranks: int, tmp_path: Path):
    tiny.write_config(tmp_path)
    chosen = cases(ranks)
    (tmp_path / "cases.json").write_text(json.dumps(chosen))
    launch.run(ranks, WORKER, str(tmp_path / "cases.json"), str(tmp_path / "results.json"))
    results = json.loads((tmp_path / "results.json").read_text())
    assert len(results) == len(chosen)
    too_far = [
        (case, result)
        for case, result in zip(chosen, results, strict=True)
        if not (result["parameters"] <= TOLERANCE[case["optimizer"]] and result["losses"] <= 1e-5)
    ]
    assert too_far == []
    # A run that trains nothing would be equal to nothing.
    assert all(
        result["moved"] > 100 * TOLERANCE[case["optimizer"]]
        for case, result in zip(chosen, results, strict=True)
    )
    # The cases are what they are meant to be: ranks without sequences, several micro-batches, sharding.
    assert any(result["dummies"] > 0 for result in results)
    assert any(len(set(result["micro_batches"])) > 1 for result in results)
    several = [
        set(result["degrees"])
        for case, result in zip(chosen, results, strict=True)
        if case["degrees"] != "local-or-all"
    ]
    assert ranks == 2 or set.union(*several) == {2, 4}
    assert all(
        result["sharded"] > 0
        for case, result in zip(chosen, results, strict=True)
        if case["context"] > 1 and case["degrees"] == "local-or-all"
    )
