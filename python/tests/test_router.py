"""The load-balancing loss of a mixture of experts equals transformers', whoever holds its tokens."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import launch
import pytest
import tiny
import torch
import torch.distributed as dist
from transformers import AutoConfig, PreTrainedModel

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from model_configurations import configurations

from skrull_runtime.check_model import comparing
from skrull_runtime.check_model.shrinking import shrunk
from skrull_runtime.model.families.router import RouterLoss

WORKER = Path(__file__).with_name("router_worker.py")
ONE, SEVERAL = 4096, 320  # buckets: of one micro-batch, and of several
# Families whose own forward adds the loss; experts of others are balanced otherwise, or not at all.
BALANCED = (
    "ernie4_5_moe", "flex_olmo", "flint", "gpt_oss", "granitemoe", "granitemoe_swa",
    "granitemoehybrid", "granitemoeshared", "jamba", "jetmoe", "laguna", "mellum", "minimax",
    "minimax_m2", "mixtral", "olmoe", "qwen2_moe", "qwen3_5_moe_text", "qwen3_moe", "qwen3_next",
)  # fmt: skip
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


def small_model(kind: str, **own: object) -> PreTrainedModel:
    """Of this kind, small, asked for its router's loss."""
    config = next(iter(configurations(kind)))
    stated = {name: value for name, value in config.items() if name != "model_type"}
    small = shrunk(AutoConfig.for_model(kind, **stated).to_dict()) | ASKED | own
    return comparing.small_model(AutoConfig.for_model(small.pop("model_type"), **small), "eager")


@pytest.mark.parametrize("kind", BALANCED)
def test_the_loss_is_what_each_family_adds(kind: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dist, "all_reduce", lambda tensor: None)  # there is one rank
    model, ids = small_model(kind, aux_loss_coef=0.5), torch.arange(1, 41).unsqueeze(0)
    whole = model(ids, labels=ids, output_router_logits=True)
    plain = model(ids, labels=ids, output_router_logits=False)
    router = RouterLoss.of(model)
    assert router is not None and router.coefficient == 0.5
    decoder = getattr(model, model.base_model_prefix)
    logits = decoder(input_ids=ids, use_cache=False, output_router_logits=True).router_logits
    found = router.weighted(logits, torch.ones(40, dtype=torch.bool)) / 40
    torch.testing.assert_close(found * router.coefficient, whole.loss - plain.loss)
    torch.testing.assert_close(found, whole.aux_loss)


@pytest.mark.parametrize("kind", ["deepseek_v3", "glm4_moe", "llama"])
def test_a_family_that_adds_none_has_none(kind: str):
    assert RouterLoss.of(small_model(kind)) is None


def test_it_is_there_only_where_a_configuration_asks_for_it():
    assert RouterLoss.of(small_model("mixtral")) == RouterLoss(0.5, 2)
    assert RouterLoss.of(small_model("mixtral", output_router_logits=False)) is None
    assert RouterLoss.of(small_model("mixtral", router_aux_loss_coef=0.0)) is None
