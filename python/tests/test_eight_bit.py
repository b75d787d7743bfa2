"""AdamW with moments of 8 bits: one step is AdamW's, several are within roundings of it, and it resumes bit for bit."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import launch
import pytest
import tiny
import torch

from skrull_runtime.errors import UserError
from skrull_runtime.model.build import build_model
from skrull_runtime.training.optimizer import build_optimizer, divided

WORKER = Path(__file__).with_name("optimizers_worker.py")
CASES = [
    {"optimizer": "adamw8bit", "zero": stage, "context": context, "reduction": reduction}
    for stage, context, reduction in (
        (0, 1, "every-micro-batch"),
        (1, 2, "every-micro-batch"),
        (2, 1, "once"),
        (3, 2, "every-micro-batch"),
    )
]
needs_bitsandbytes = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed"
)


@needs_bitsandbytes
def test_one_step_is_exact_and_more_are_near(tmp_path: Path):
    tiny.write_config(tmp_path)
    (tmp_path / "cases.json").write_text(json.dumps(CASES))
    launch.run(2, WORKER, str(tmp_path / "cases.json"), str(tmp_path / "results.json"))
    results = json.loads((tmp_path / "results.json").read_text())
    for case, found in zip(CASES, results, strict=True):
        # The first update is made of moments that are not yet rounded.
        assert found["first"] < 1e-6 < 1e-2 * found["moved"], (case, found)
        assert found["last"] < 0.02, (case, found)
        assert found["resumed"] == 0, (case, found)
    # Without ZeRO every tensor of so small a model has moments in fp32; a flat partition is large enough for 8 bits. Only
    # the embedding's, of 258 x 32 weights, are kept in fp32 there: a partition of norms and biases is small as well.
    shapes = [
        parameter.shape
        for parameter in build_model(tiny.model_config(), tmp_path, None, 1).parameters()
    ]
    everything, embedding = sum(map(torch.Size.numel, shapes)), 258 * 32
    small = sum(shape.numel() for shape in shapes if len(shape) < 2)
    exact = (embedding + small) / everything
    assert results[0]["bytes"] == pytest.approx(8)
    assert results[0]["last"] < 1e-6
    for found in results[1:]:
        assert found["bytes"] == pytest.approx(8 * exact + (1 - exact) * (2 + 8 / 256), rel=0.01)
        assert found["last"] > 1e-3


def test_what_is_chosen_gets_settings_of_its_own():
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(3)]
    groups = [{"params": parameters[:2]}, {"params": parameters[2:], "weight_decay": 0.0}]
    found = divided(groups, [parameters[1], parameters[2]], {"optim_bits": 32})
    named = [
        {**group, "params": [index_of(parameters, p) for p in group["params"]]} for group in found
    ]
    assert named == [
        {"params": [0]},
        {"params": [1], "optim_bits": 32},
        {"params": [2], "weight_decay": 0.0, "optim_bits": 32},
    ]


def index_of(parameters: list[torch.nn.Parameter], wanted: torch.nn.Parameter) -> int:
    return next(index for index, own in enumerate(parameters) if own is wanted)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)
    settings = {"type": "adamw8bit", "lr": 0.1, "weight_decay": 0.0}
    with pytest.raises(UserError, match=r"needs bitsandbytes: pip install -r requirements\.txt"):
        build_optimizer([torch.nn.Parameter(torch.ones(2))], settings, torch.device("cpu"))
