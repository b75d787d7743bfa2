"""Muon orthogonalises the matrices of layers and leaves the rest to AdamW, under every ZeRO stage, as it is published."""

from __future__ import annotations

import json
import math
from pathlib import Path

import launch
import pytest
import tiny
import torch
from orthogonal_worker import SHAPES

from skrull_runtime.model.build import build_model
from skrull_runtime.training.optimizer import build_optimizer, roles_of, set_groups, settings_of

HERE = Path(__file__).parent
SETTINGS = {"type": "muon", "lr": 0.02, "weight_decay": 0.1, "decayed": "matrices"}
# Steep enough that the gradients of the matrices have more than one direction.
STEEP = tiny.CONFIG | {"initializer_range": 0.3}
CASES = [
    {"optimizer": "muon", "zero": 1, "family": "steep"},
    {"optimizer": "muon", "zero": 2, "context": 2, "reduction": "once", "family": "steep"},
    {"optimizer": "muon", "zero": 2, "family": "mixtral"},
    {"optimizer": "muon", "zero": 3, "context": 2, "family": "steep"},
    {"optimizer": "muon", "zero": 3, "offload": "all", "family": "steep"},
    {"optimizer": "muon", "zero": 1, "offload": "optimizer", "family": "steep"},
]
BF16 = [
    {"zero": 2, "gradients": "fp32", "reduction": "once"},
    {"zero": 3, "gradients": "fp32"},
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """Of one start of the processes: the cases in fp32, then those in bf16."""
    folder = tmp_path_factory.mktemp("muon")
    tiny.write_config(folder)
    tiny.write_config(folder / "mixtral", "mixtral")
    (folder / "steep").mkdir()
    (folder / "steep" / "config.json").write_text(json.dumps(STEEP))
    bf16 = [{**case, "optimizer": "muon", "precision": "bf16"} for case in BF16]
    (folder / "cases.json").write_text(json.dumps([*CASES, *bf16]))
    arguments = str(folder / "cases.json"), str(folder / "results.json")
    launch.run(2, HERE / "optimizers_worker.py", *arguments)
    return json.loads((folder / "results.json").read_text())


def test_training_equals_plain_muon_and_adamw(results: list[dict]):
    for case, found in zip(CASES, results, strict=False):
        # Five Newton-Schulz iterations multiply roundings of small directions by up to 485.
        assert found["first"] < 3e-6 < 1e-3 * found["moved"], (case, found)
        assert found["last"] < 3e-5, (case, found)
        assert found["resumed"] == 0, (case, found)


def test_in_bf16_the_masters_stay_near_full_precision(results: list[dict]):
    for case, found in zip(BF16, results[len(CASES) :], strict=True):
        assert 1e-3 < found["last"] < 0.2, (case, found)
        assert found["resumed"] == 0, (case, found)


def test_matrices_are_orthogonalised_and_the_rest_is_adamws(tmp_path: Path):
    launch.run(2, HERE / "orthogonal_worker.py", str(tmp_path))
    found = json.loads((tmp_path / "results.json").read_text())
    gradients = found.pop("gradients")
    for stage, own in found.items():
        for name, (columns, rows) in SHAPES.items():
            scale = math.sqrt(max(1, rows / columns))
            values = [value / scale for value in own["matrices"][name]]
            # The quintic iteration leaves singular values around 1; those of the gradient differ far more.
            assert min(values) > 0.6 and max(values) < 1.25, (stage, name, values)
            assert max(gradients[name]) > 3 * min(gradients[name]), name
        names = {"embedding.weight", "norm.weight", "norm.bias"}
        assert set(own["others"]) == names | {f"layers.{name}.bias" for name in SHAPES}
        for name, (least, most) in own["others"].items():
            # The first step of Adam is its learning rate, whatever the gradient.
            assert least == pytest.approx(1, abs=0.02) and most == pytest.approx(1, abs=0.02), name


@pytest.mark.parametrize("family", ["qwen2", "llama", "mixtral"])
def test_muon_takes_the_matrices_of_layers(family: str, tmp_path: Path):
    tiny.write_config(tmp_path, family)
    model = build_model(tiny.model_config(), tmp_path, None, tiny.SEED)
    # Biases of experts are rows of a matrix, in models that have them.
    model.model.layers[0].mlp.experts_bias = torch.nn.Parameter(torch.ones(4, 8))
    trained = list(model.parameters())
    made = build_optimizer(trained, SETTINGS, torch.device("cpu"), False, roles_of(model))
    own = {id(p) for group in made.param_groups if group["use_muon"] for p in group["params"]}
    named = {name for name, parameter in model.named_parameters() if id(parameter) in own}
    ends = ("embed_tokens.weight", "lm_head.weight")
    wanted = {
        name
        for name, parameter in model.named_parameters()
        if parameter.ndim > 1 and not name.endswith((*ends, "bias"))
    }
    assert named == wanted and len(named) > 10
    assert sum(len(group["params"]) for group in made.param_groups) == len(trained)
    # Norms and biases are not decayed; nor is anything left out of the groups.
    decays = {(group["use_muon"], group["weight_decay"]) for group in made.param_groups}
    assert decays == {(True, 0.1), (False, 0.1), (False, 0.0)}


def test_the_schedule_moves_both_rates_in_proportion():
    parameters = [torch.nn.Parameter(torch.ones(2, 2)), torch.nn.Parameter(torch.ones(2))]
    settings = SETTINGS | {"adam_lr": 0.001}
    made = build_optimizer(parameters, settings, torch.device("cpu"))
    own = settings_of(made)
    set_groups(made, own, lambda peak: peak / 4)
    assert [group["lr"] for group in made.param_groups] == [0.02 / 4, 0.001 / 4]
