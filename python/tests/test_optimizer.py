"""What weight decay applies to, and which settings of the optimisation are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from resume_run import CONFIG, SCHEDULING
from transformers import Trainer

from skrull_runtime import defaults
from skrull_runtime.checkpoints.resume import separate_steps
from skrull_runtime.errors import UserError
from skrull_runtime.model.build import build_model
from skrull_runtime.training.optimizer import (
    build_optimizer,
    decay_groups,
    set_groups,
    settings_of,
)
from skrull_runtime.training.prepare import prepare

SETTINGS = {"type": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": 0.1}


@pytest.mark.parametrize("lora", [False, "rslora"], ids=["whole", "adapters"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_decayed_are_the_parameters_that_transformers_decays(
    family: str, lora: bool | str, tmp_path: Path
):
    tiny.write_config(tmp_path, family)
    model = build_model(tiny.model_config(lora=lora), tmp_path, None, tiny.SEED)
    wanted = set(Trainer.get_decay_parameter_names(None, model))
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    groups = decay_groups(trained.values(), {**SETTINGS, "decayed": "matrices"})
    decayed = {id(p) for group in groups if "weight_decay" not in group for p in group["params"]}
    assert {name for name, p in trained.items() if id(p) in decayed} == wanted & trained.keys()
    assert sum(len(group["params"]) for group in groups) == len(trained)
    # Adapters are matrices: no group without a parameter.
    assert len(groups) == (1 if lora else 2)


def test_under_zero_3_the_true_shape_counts():
    matrix, gain = (torch.nn.Parameter(torch.empty(0)) for _ in range(2))
    matrix.ds_shape, gain.ds_shape = torch.Size((3, 4)), torch.Size((3,))
    decayed, other = decay_groups([gain, matrix], {**SETTINGS, "decayed": "matrices"})
    assert decayed["params"][0] is matrix and "weight_decay" not in decayed
    assert other["params"][0] is gain and other["weight_decay"] == 0.0


def test_groups_that_share_a_count_of_steps_count_on_their_own():
    parameters = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    optimizer = torch.optim.AdamW(parameters)
    for parameter in parameters:
        parameter.grad = torch.ones(2)
    optimizer.step()
    shared = optimizer.state[parameters[0]]["step"]
    optimizer.state[parameters[1]]["step"] = shared  # as DeepSpeed's universal checkpoints do
    separate_steps(optimizer)
    optimizer.step()
    assert [optimizer.state[parameter]["step"].item() for parameter in parameters] == [2, 2]


def test_each_group_keeps_its_weight_decay_whatever_a_checkpoint_has_set():
    parameters = [torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 2), (2,))]
    settings = {**SETTINGS, "decayed": "matrices"}
    optimizer = build_optimizer(parameters, settings, torch.device("cpu"))
    own = settings_of(optimizer)
    assert [decay for _, decay in own] == [0.1, 0.0]
    for group in optimizer.param_groups:  # as DeepSpeed's universal checkpoints do
        group["weight_decay"] = 0.1
    set_groups(optimizer, own, lambda peak: 2 * peak)
    found = [(group["lr"], group["weight_decay"]) for group in optimizer.param_groups]
    assert found == [(0.2, 0.1), (0.2, 0.0)]


@pytest.mark.parametrize(
    "settings",
    [
        {**SETTINGS, "decayed": "all"},
        SETTINGS,  # of a run that was compiled before there was a choice
        {**SETTINGS, "weight_decay": 0.0, "decayed": "matrices"},  # nothing to tell apart
    ],
)
def test_all_parameters_are_one_group_where_all_are_decayed_alike(settings: dict):
    parameters = [torch.nn.Parameter(torch.ones(shape)) for shape in ((2, 2), (2,))]
    (group,) = build_optimizer(parameters, settings, torch.device("cpu")).param_groups
    assert len(group["params"]) == 2
    assert group["weight_decay"] == settings["weight_decay"]


def test_an_unknown_word_is_refused_before_anything_starts(tmp_path: Path):
    unknown = {**SETTINGS, "type": "lion"}
    config = replace(CONFIG, train=replace(CONFIG.train, optimizer=unknown))
    with pytest.raises(UserError, match='/optimizer/type is "lion"'):
        prepare(config, SCHEDULING, tmp_path, 0, 2)


def test_a_checkpoint_of_another_default_is_refused():
    train = CONFIG.train
    assert defaults.chosen(CONFIG)["decayed"] == "matrices"
    defaults.require_same(CONFIG, {"defaults": {"decayed": "matrices"}})
    reason = (
        r"trained with decayed = all, this run has decayed = matrices\."
        r" Write train \{ optimizer = TYPE \{ decayed = all \} \} and compile again"
    )
    with pytest.raises(UserError, match=reason):
        defaults.require_same(CONFIG, {})  # of a version that decayed all
    before = {name: value for name, value in train.optimizer.items() if name != "decayed"}
    defaults.require_same(replace(CONFIG, train=replace(train, optimizer=before)), {})


def test_a_default_that_makes_no_difference_is_not_asked_for():
    adapters = replace(CONFIG, model=replace(CONFIG.model, lora={"rank": 4}))
    undecayed = {**CONFIG.train.optimizer, "weight_decay": 0.0}
    without = replace(CONFIG, train=replace(CONFIG.train, optimizer=undecayed))
    for run in (adapters, without):
        assert defaults.chosen(run)["decayed"] == "either"
        defaults.require_same(run, {})
        defaults.require_same(CONFIG, {"defaults": {"decayed": "either"}})
