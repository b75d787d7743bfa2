"""The load-balancing loss of a mixture of experts equals transformers', whoever holds its tokens."""

from __future__ import annotations

import json
from pathlib import Path

import launch
import tiny
from transformers import LlamaConfig, MixtralConfig

from skrull_runtime.model.router import RouterLoss

WORKER = Path(__file__).with_name("router_worker.py")
ONE, SEVERAL = 4096, 320  # buckets: of one micro-batch, and of several
ASKED = {"output_router_logits": True, "router_aux_loss_coef": 0.5}


def _case(
    family: str, zero: int, reduction: str, context: int, bucket: int, checkpointing: str
) -> dict:
    return {
        "family": family,
        "zero": zero,
        "reduction": reduction,
        "context": context,
        "bucket": bucket,
        "checkpointing": checkpointing,
    }


EVERY = "every-micro-batch"
CASES = [
    _case("mixtral", 0, EVERY, 1, ONE, "none"),
    _case("qwen3_moe", 3, EVERY, 2, ONE, "full"),
    _case("mixtral", 2, "once", 2, SEVERAL, "selective"),
    _case("qwen3_moe", 0, EVERY, 1, SEVERAL, "full"),
    _case("mixtral", 3, EVERY, 2, SEVERAL, "selective"),
]


def test_the_loss_of_the_router_equals_transformers_over_all_ranks(tmp_path: Path):
    for family in {case["family"] for case in CASES}:
        tiny.write_config(tmp_path / family, family)
        file = tmp_path / family / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | ASKED))
    (tmp_path / "cases.json").write_text(json.dumps(CASES))
    launch.run(2, WORKER, str(tmp_path / "cases.json"), str(tmp_path / "results.json"))
    results = json.loads((tmp_path / "results.json").read_text())
    for case, result in zip(CASES, results, strict=True):
        assert result["weights"] <= 1e-6, (case, result)
        assert result["router_loss"] <= 1e-6, (case, result)
        # Without the term the weights would be elsewhere; an evaluation does not have it.
        assert result["without"] > 1e-4, (case, result)
        assert result["evaluated"] <= 1e-5, (case, result)
        assert (result["micro_batches"] == 1) == (case["bucket"] == ONE), (case, result)
    assert any(result["dummies"] > 0 for result in results)


def test_it_is_there_only_where_a_configuration_asks_for_it():
    assert RouterLoss.of(MixtralConfig(**ASKED)) == RouterLoss(0.5, 2)
    assert RouterLoss.of(MixtralConfig(router_aux_loss_coef=0.5)) is None
    assert RouterLoss.of(MixtralConfig(output_router_logits=True, router_aux_loss_coef=0.0)) is None
    assert RouterLoss.of(LlamaConfig(**ASKED)) is None
