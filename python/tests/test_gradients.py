"""Gradients of a run in bf16 are as near to exact ones as those of plain transformers in bf16, which has the whole global
batch on one rank, in one forward and one backward: neither chunks of the loss, nor micro-batches, nor ranks that share
a sequence add an error.

The settings are tried pairwise. A run that adds its micro-batches in bf16 shows that the test tells them apart.
"""

from __future__ import annotations

import json
from pathlib import Path

import launch
import tiny
from pairwise import Case, pairwise

from skrull_runtime import versions

WORKER = Path(__file__).with_name("gradients_worker.py")
TOLERANCE = 1.1  # of the error of transformers
FACTORS = {
    "zero": (0, 1, 2, 3),
    "reduction": ("every-micro-batch", "once"),
    "context": (1, 2, 4),
    "micro_batches": (1, 6, 32),
    "chunk": (1, 4, 4096),
    "offload": ("none", "optimizer"),
    "checkpointing": ("none", "full", "attention", "offload"),
    "gradients": ("fp32",),
}


def valid(case: Case) -> bool:
    """Whether the compiler would emit such a run, and this torch can add its gradients in fp32."""
    stage, offloaded = case["zero"], case["offload"] != "none"
    once = case["reduction"] == "once"
    if (once and (stage != 2 or offloaded)) or (offloaded and stage == 0):
        return False
    if offloaded and stage < 3:
        return versions.has("offloaded-gradients")
    if once or stage < 2:
        return versions.has("gradient-dtype")
    return stage == 3 or versions.has("reduced-gradients")


CASES = pairwise(FACTORS, valid)
# A run that adds in bf16.
CHAIN = {
    **{name: values[0] for name, values in FACTORS.items()},
    "micro_batches": 32,
    "gradients": "model",
}


def test_gradients_in_bf16_are_as_exact_as_those_of_unsharded_transformers(tmp_path: Path):
    tiny.write_config(tmp_path)
    cases = [*CASES, CHAIN]
    (tmp_path / "cases.json").write_text(json.dumps(cases))
    launch.run(
        4, WORKER, str(tmp_path / "cases.json"), str(tmp_path / "results.json"), timeout=1200
    )
    found = json.loads((tmp_path / "results.json").read_text())
    *results, chain = found["results"]
    assert 0 < found["plain"] < 0.02
    pairs = list(zip(CASES, results, strict=True))
    assert [pair for pair in pairs if pair[1]["error"] > TOLERANCE * found["plain"]] == []
    assert chain["error"] > TOLERANCE * found["plain"]
    # The cases are what they are meant to be.
    assert min(result["micro_batches"] for result in results) == 1
    assert max(result["micro_batches"] for result in results) >= 32
    assert max(result["chunks"] for result in results) >= 256
