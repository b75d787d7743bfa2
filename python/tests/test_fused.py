"""Liger's kernels and compiled norms: what is asked of the library, and that compiled norms train as others do."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import tiny
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from skrull_runtime.errors import UserError
from skrull_runtime.model.fused import compile_norms, use_liger

GPU, CPU = torch.device("cuda"), torch.device("cpu")
MODEL = SimpleNamespace(config=SimpleNamespace(model_type="qwen2"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What Liger is asked for. Its function is as of linkedin/Liger-Kernel 0.8.2 (``transformers/monkey_patch.py``)."""
    calls: list[dict] = []

    def apply(model, **kwargs):
        calls.append({"model": model, **kwargs})

    patch = ModuleType("monkey_patch")
    patch.MODEL_TYPE_TO_APPLY_LIGER_FN = {"qwen2": None}
    patch._apply_liger_kernel_to_instance = apply
    package = ModuleType("liger_kernel.transformers")
    package.monkey_patch = patch
    monkeypatch.setitem(sys.modules, "liger_kernel", ModuleType("liger_kernel"))
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", package)
    return calls


def test_liger_is_asked_for_all_but_the_loss(asked: list[dict]):
    use_liger(MODEL, GPU)
    (call,) = asked
    assert call.pop("model") is MODEL
    assert {name for name, value in call.items() if value} == {
        "rope",
        "rms_norm",
        "swiglu",
        "geglu",
    }
    assert not call["cross_entropy"] and not call["fused_linear_cross_entropy"]


def test_what_liger_does_not_do_is_refused(asked: list[dict], monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UserError, match="needs a GPU"):
        use_liger(MODEL, CPU)
    other = SimpleNamespace(config=SimpleNamespace(model_type="starcoder2"))
    with pytest.raises(UserError, match="no kernels for models of type starcoder2"):
        use_liger(other, GPU)
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", None)
    with pytest.raises(UserError, match="pip install liger-kernel"):
        use_liger(MODEL, GPU)
    assert asked == []


def test_compiled_norms_train_as_others_do(tmp_path: Path):
    tiny.write_config(tmp_path, "qwen3")
    config = AutoConfig.from_pretrained(tmp_path)
    plain = AutoModelForCausalLM.from_config(config)
    compiled = copy.deepcopy(plain)
    compile_norms(compiled, backend="aot_eager")
    torch._dynamo.utils.counters.clear()
    for tokens in (5, 9, 17):
        ids = torch.arange(tokens).unsqueeze(0)
        losses = [model(input_ids=ids, labels=ids).loss for model in (compiled, plain)]
        torch.testing.assert_close(losses[0], losses[1], rtol=1e-6, atol=1e-6)
        for loss in losses:
            loss.backward()
    for own, other in zip(compiled.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(own.grad, other.grad, rtol=1e-5, atol=1e-6)
    # Not one graph for every length, nor for every layer.
    assert 0 < torch._dynamo.utils.counters["stats"]["unique_graphs"] <= 4
