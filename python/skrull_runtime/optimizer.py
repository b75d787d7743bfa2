"""The optimizer and the learning rate of every step."""

from __future__ import annotations

import math
from typing import Any

import torch

from .errors import UserError


def build_optimizer(
    parameters: Any, config: dict[str, Any], device: torch.device, offloaded: bool = False
) -> torch.optim.Optimizer:
    """A torch optimizer, handed to DeepSpeed: nothing is compiled, and defaults are torch's (as stated by the run).

    ``offloaded``: its states and its step are on the host. For a GPU's parameters that is DeepSpeed's vectorised
    AdamW where a compiler is at hand, which is several times faster.
    """
    kind = config["type"]
    settings = {name: value for name, value in config.items() if name != "type"}
    if kind == "adamw":
        settings["betas"] = tuple(settings["betas"])
        if offloaded and device.type == "cuda":
            vectorised = _host_adamw(parameters, settings)
            if vectorised is not None:
                return vectorised
        fused = device.type == "cuda" and not offloaded
        return torch.optim.AdamW(parameters, fused=fused, **settings)
    if kind == "sgd":
        return torch.optim.SGD(parameters, **settings)
    raise UserError(f"unknown optimizer '{kind}'")


def _host_adamw(parameters: Any, settings: dict[str, Any]) -> torch.optim.Optimizer | None:
    """DeepSpeed's AdamW for the host; None where it cannot be compiled. Not executed yet: it needs a GPU run."""
    try:
        from deepspeed.ops.adam import DeepSpeedCPUAdam

        return DeepSpeedCPUAdam(parameters, adamw_mode=True, **settings)
    except Exception as error:  # a missing compiler shows as any of several errors
        print(f"note: the optimizer runs on the host without DeepSpeed's kernel ({error})")
        return None


def learning_rate(step: int, total_steps: int, peak: float, config: dict[str, Any]) -> float:
    """Learning rate of a step, counted from 0: a linear warm-up, then ``constant``, or ``linear`` or ``cosine`` decay
    that would reach ``min_ratio`` of the peak one step after the last; ``warmup-stable-decay`` falls in a straight line
    over its last ``decay_steps``."""
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
