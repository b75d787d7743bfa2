"""The optimizer and the learning rate of every step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from ..contract.records import LearningRate, Optimizer
from ..contract.vocabularies import Decayed, LearningRateKind, OptimizerKind

Groups = list[dict[str, Any]]  # as torch takes parameter groups
Settings = dict[str, Any]  # keyword arguments of an optimizer


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
) -> torch.optim.Optimizer:
    """A torch optimizer to pass to DeepSpeed: nothing is compiled, and defaults are torch's (as stated by the run). Its
    groups are those of :func:`decay_groups`.

    ``offloaded``: its states and its step are on the host. For parameters of a GPU, that is DeepSpeed's vectorised AdamW
    if a compiler is available, which is several times faster.
    """
    settings = {name: value for name, value in config.items() if name not in ("type", "decayed")}
    return _BUILDERS[config["type"]](decay_groups(parameters, config), settings, device, offloaded)


def _sgd(
    groups: Groups, settings: Settings, _device: torch.device, _offloaded: bool
) -> torch.optim.Optimizer:
    return torch.optim.SGD(groups, **settings)


def _adamw(
    groups: Groups, settings: Settings, device: torch.device, offloaded: bool
) -> torch.optim.Optimizer:
    settings = settings | {"betas": tuple(settings.get("betas", (0.9, 0.999)))}
    if offloaded and device.type == "cuda":
        vectorised = _host_adamw(groups, settings)
        if vectorised is not None:
            return vectorised
    return torch.optim.AdamW(groups, fused=device.type == "cuda" and not offloaded, **settings)


_BUILDERS: dict[OptimizerKind, Callable[..., torch.optim.Optimizer]] = {
    "adamw": _adamw,
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


def set_groups(optimizer: Any, rate: float, decays: list[float]) -> None:
    """Sets the learning rate of all groups, and the weight decay of each: loading a universal checkpoint, DeepSpeed gives
    all groups the settings of the first."""
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        group["lr"], group["weight_decay"] = rate, decay


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
