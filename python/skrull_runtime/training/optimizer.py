"""The optimizer and the learning rate of every step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, get_args

import torch
from torch import nn

from ..config import TrainConfig, require_word
from ..contract import vocabularies as words


def check_optimisation(train: TrainConfig) -> None:
    """Raises UserError where a run asks for an optimizer or a learning-rate schedule that is not known here."""
    require_word("optimizer", train.optimizer.get("type"), words.OptimizerKind)
    require_word("learning-rate schedule", train.learning_rate.get("type"), words.LearningRateKind)
    require_word("value of decayed", train.optimizer.get("decayed", "all"), words.Decayed)


def decayed_of(config: dict[str, Any]) -> str:
    """What the weight decay of an optimizer applies to: ``matrices`` or ``all``. Without weight decay there is nothing
    to tell apart; a run that was compiled before there was a choice decays all."""
    return config.get("decayed", "all") if config["weight_decay"] else "all"


def decay_groups(
    parameters: Iterable[nn.Parameter], config: dict[str, Any]
) -> list[dict[str, Any]]:
    """Parameter groups of an optimizer: those that are decayed, then those that are not; an empty one is left out.

    Norms and biases have one dimension, by which they are told from matrices as transformers' Trainer tells them by
    their names. Under ZeRO 3 the true shape is ``ds_shape``: the parameter itself is empty or flat.
    """
    everything = list(parameters)
    if decayed_of(config) == "all":
        return [{"params": everything}]
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in everything:
        groups[len(getattr(parameter, "ds_shape", parameter.shape)) < 2].append(parameter)
    matrices, others = groups
    found = [{"params": matrices}, {"params": others, "weight_decay": 0.0}]
    return [group for group in found if group["params"]]


def build_optimizer(
    parameters: Iterable[nn.Parameter],
    config: dict[str, Any],
    device: torch.device,
    offloaded: bool = False,
) -> torch.optim.Optimizer:
    """A torch optimizer, handed to DeepSpeed: nothing is compiled, and defaults are torch's (as stated by the run).
    Its groups are those of :func:`decay_groups`.

    ``offloaded``: its states and its step are on the host. For a GPU's parameters that is DeepSpeed's vectorised
    AdamW where a compiler is at hand, which is several times faster.
    """
    kind = config["type"]
    groups = decay_groups(parameters, config)
    settings = {name: value for name, value in config.items() if name not in ("type", "decayed")}
    if kind == "adamw":
        settings["betas"] = tuple(settings["betas"])
        if offloaded and device.type == "cuda":
            vectorised = _host_adamw(groups, settings)
            if vectorised is not None:
                return vectorised
        fused = device.type == "cuda" and not offloaded
        return torch.optim.AdamW(groups, fused=fused, **settings)
    if kind == "sgd":
        return torch.optim.SGD(groups, **settings)
    raise ValueError(f"unknown optimizer {kind!r}")


def _host_adamw(
    groups: list[dict[str, Any]], settings: dict[str, Any]
) -> torch.optim.Optimizer | None:
    """DeepSpeed's AdamW for the host; None where it cannot be compiled. Not executed yet: it needs a GPU run."""
    try:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        return DeepSpeedCPUAdam(groups, adamw_mode=True, **settings)
    except Exception as error:  # a missing compiler shows as any of several errors
        print(f"note: the optimizer runs on the host without DeepSpeed's kernel ({error})")
        return None


def set_groups(optimizer: Any, rate: float, decays: list[float]) -> None:
    """The learning rate of all parameters, and the weight decay of every group: DeepSpeed's loading of a universal
    checkpoint gives all groups the settings of the first."""
    for group, decay in zip(optimizer.param_groups, decays, strict=True):
        group["lr"], group["weight_decay"] = rate, decay


def learning_rate(step: int, total_steps: int, peak: float, config: dict[str, Any]) -> float:
    """Learning rate of a step, counted from 0: a linear warm-up, then ``constant``, or ``linear`` or ``cosine`` decay
    that would reach ``min_ratio`` of the peak one step after the last; ``warmup-stable-decay`` falls in a straight line
    over its last ``decay_steps``. Raises ValueError for another schedule."""
    if config["type"] not in get_args(words.LearningRateKind):
        raise ValueError(f"unknown learning-rate schedule {config['type']!r}")
    warmup, lowest = config["warmup_steps"], config.get("min_ratio", 0.0)
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if config["type"] == "constant":
        return peak
    if config["type"] == "warmup-stable-decay":
        length = config["decay_steps"]
        progress = max(0.0, (step - (total_steps - length)) / length)
    else:
        progress = (step - warmup) / max(1, total_steps - warmup)
    left = 0.5 * (1 + math.cos(math.pi * progress)) if config["type"] == "cosine" else 1 - progress
    return peak * (lowest + (1 - lowest) * left)
