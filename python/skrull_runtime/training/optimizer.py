"""The optimizer and the learning rate of every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import torch
from torch import nn

from ..contract.records import LearningRate, Optimizer
from ..contract.vocabularies import Decayed, LearningRateKind, OptimizerKind
from ..model.adapters.ends import End, end_of
from ..model.build import base_of
from .eight_bit import BITS, adamw8bit
from .muon import muon

Groups = list[dict[str, Any]]  # as torch takes parameter groups
Settings = dict[str, Any]  # keyword arguments of an optimizer


class Roles(NamedTuple):
    """Parameters that are no matrix of a layer whatever their shape. The embedding and the head are one where they are
    tied."""

    embedding: tuple[nn.Parameter, ...] = ()
    head: tuple[nn.Parameter, ...] = ()
    biases: tuple[nn.Parameter, ...] = ()  # of experts, a row each


def roles_of(model: nn.Module) -> Roles:
    """The roles of a model of transformers, with or without adapters."""
    base = base_of(model)
    ends = base.get_input_embeddings(), base.get_output_embeddings()
    embedding, head = (() if end is None else _parameters_of(end_of(end)) for end in ends)
    named = model.named_parameters()
    biases = tuple(parameter for name, parameter in named if name.endswith("bias"))
    return Roles(embedding, head, biases)


def _parameters_of(end: End) -> tuple[nn.Parameter, ...]:
    """Its weight, and the rows that are trained in the place of others."""
    weight = cast(nn.Parameter, end.module.weight)
    return (weight,) if end.rows is None else (weight, end.rows.values)


def decayed_of(config: Optimizer) -> Decayed:
    """What the weight decay of an optimizer applies to. Without weight decay it makes no difference; a run that was
    compiled before there was a choice decays all."""
    return config.get("decayed", "all") if config.get("weight_decay") else "all"


def decay_groups(parameters: Iterable[nn.Parameter], config: Optimizer) -> Groups:
    """The parameter groups of an optimizer: decayed parameters, then the others; an empty group is left out.

    Norms and biases are told from matrices by their single dimension, where transformers' Trainer goes by their names.
    Under ZeRO 3 the true shape is ``ds_shape``: the parameter itself is empty or flat.
    """
    everything = list(parameters)
    if decayed_of(config) == "all":
        return [{"params": everything}]
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in everything:
        groups[len(getattr(parameter, "ds_shape", parameter.shape)) < 2].append(parameter)
    matrices, others = groups
    found: Groups = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    return [group for group in found if group["params"]]


def build_optimizer(
    parameters: Iterable[nn.Parameter],
    config: Optimizer,
    device: torch.device,
    offloaded: bool = False,
    roles: Roles = Roles(),  # noqa: B008 - immutable
) -> torch.optim.Optimizer:
    """An optimizer to pass to DeepSpeed: nothing is compiled, and defaults are torch's (as stated by the run). Its groups
    are those of :func:`decay_groups`, divided where the optimizer treats parameters by their ``roles``.

    ``offloaded``: its states and its step are on the host. For parameters of a GPU, that is DeepSpeed's vectorised AdamW
    if a compiler is available, which is several times faster. Raises UserError where a package is missing.
    """
    stated: Settings = dict(config)
    settings = {name: value for name, value in stated.items() if name not in ("type", "decayed")}
    if "betas" in settings:
        settings["betas"] = tuple(settings["betas"])
    place = Place(device, offloaded, roles)
    return _BUILDERS[config["type"]](decay_groups(parameters, config), settings, place)


class Place(NamedTuple):
    """What an optimizer is made for."""

    device: torch.device
    offloaded: bool
    roles: Roles


def _sgd(groups: Groups, settings: Settings, _place: Place) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, **settings)


def _adamw(groups: Groups, settings: Settings, place: Place) -> torch.optim.Optimizer:
    on_gpu = place.device.type == "cuda"
    if place.offloaded and on_gpu:
        vectorised = _host_adamw(groups, settings)
        if vectorised is not None:
            return vectorised
    return torch.optim.AdamW(groups, fused=on_gpu and not place.offloaded, **settings)


def _adamw8bit(groups: Groups, settings: Settings, place: Place) -> torch.optim.Optimizer:
    """The embedding has moments in fp32, as with transformers' Trainer: its gradients differ by orders of magnitude."""
    return adamw8bit(divided(groups, place.roles.embedding, {BITS: 32}), settings)


def _muon(groups: Groups, settings: Settings, place: Place) -> torch.optim.Optimizer:
    outside = [parameter for role in place.roles for parameter in role]
    return muon(groups, outside, settings, place.device)


def divided(groups: Groups, chosen: Iterable[nn.Parameter], settings: Settings) -> Groups:
    """The groups without the chosen parameters, then these with settings of their own; an empty group is left out."""
    ids = {id(parameter) for parameter in chosen}

    def part(is_chosen: bool, more: Settings) -> Groups:
        found: Groups = [
            {
                **group,
                **more,
                "params": [p for p in group["params"] if (id(p) in ids) == is_chosen],
            }
            for group in groups
        ]
        return [group for group in found if group["params"]]

    return part(False, {}) + part(True, settings)


_BUILDERS: dict[OptimizerKind, Callable[..., torch.optim.Optimizer]] = {
    "adamw": _adamw,
    "adamw8bit": _adamw8bit,
    "muon": _muon,
    "sgd": _sgd,
}


def _host_adamw(groups: Groups, settings: Settings) -> torch.optim.Optimizer | None:
    """DeepSpeed's AdamW for the host; None where it cannot be compiled. Not executed yet: it needs a GPU run."""
    try:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        made: torch.optim.Optimizer = DeepSpeedCPUAdam(groups, adamw_mode=True, **settings)
        return made
    except Exception as error:  # a missing compiler shows as one of several errors
        print(f"note: the optimizer runs on the host without DeepSpeed's kernel ({error})")
        return None


class GroupSettings(NamedTuple):
    """What a group has of its own."""

    peak: float  # learning rate
    weight_decay: float


def settings_of(optimizer: torch.optim.Optimizer) -> list[GroupSettings]:
    """The settings of every group, as the optimizer was made."""
    return [GroupSettings(group["lr"], group["weight_decay"]) for group in optimizer.param_groups]


def set_groups(
    optimizer: Any, settings: list[GroupSettings], rate: Callable[[float], float]
) -> None:
    """Sets the learning rate of every group, ``rate`` of its peak, and its weight decay: loading a universal checkpoint,
    DeepSpeed gives all groups the settings of the first."""
    for group, (peak, decay) in zip(optimizer.param_groups, settings, strict=True):
        group["lr"], group["weight_decay"] = rate(peak), decay


def learning_rate(step: int, total_steps: int, peak: float, config: LearningRate) -> float:
    """The learning rate of a step, counted from 0: a linear warm-up, then the shape of the schedule's type."""
    warmup = config.get("warmup_steps", 0)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * _SHAPES[config["type"]](step, total_steps, config)


def _constant(_step: int, _total_steps: int, _config: LearningRate) -> float:
    return 1.0


def _linear(step: int, total_steps: int, config: LearningRate) -> float:
    """Would reach ``min_ratio`` one step after the last."""
    return _falling(1 - _progress(step, total_steps, config), config)


def _cosine(step: int, total_steps: int, config: LearningRate) -> float:
    """Would reach ``min_ratio`` one step after the last."""
    done = _progress(step, total_steps, config)
    return _falling(0.5 * (1 + math.cos(math.pi * done)), config)


def _warmup_stable_decay(step: int, total_steps: int, config: LearningRate) -> float:
    """Stays constant, then falls linearly over the last ``decay_steps``."""
    length = config.get("decay_steps", 0)
    done = max(0.0, (step - (total_steps - length)) / length) if length else 0.0
    return _falling(1 - done, config)


def _progress(step: int, total_steps: int, config: LearningRate) -> float:
    """The share of the steps after the warm-up that are done."""
    warmup = config.get("warmup_steps", 0)
    return (step - warmup) / max(1, total_steps - warmup)


def _falling(left: float, config: LearningRate) -> float:
    lowest = config.get("min_ratio", 0.0)
    return lowest + (1 - lowest) * left


# The rate as a share of its peak, after the warm-up.
_SHAPES: dict[LearningRateKind, Callable[[int, int, LearningRate], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "warmup-stable-decay": _warmup_stable_decay,
}
