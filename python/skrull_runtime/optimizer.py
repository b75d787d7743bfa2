"""The optimizer and the learning rate of every step."""

from __future__ import annotations

import math
from typing import Any

import torch


def build_optimizer(
    parameters: Any, config: dict[str, Any], device: torch.device
) -> torch.optim.Optimizer:
    """A torch optimizer, handed to DeepSpeed: nothing is compiled, and defaults are torch's (as stated by the run)."""
    kind = config["type"]
    settings = {name: value for name, value in config.items() if name != "type"}
    if kind == "adamw":
        settings["betas"] = tuple(settings["betas"])
        return torch.optim.AdamW(parameters, fused=device.type == "cuda", **settings)
    if kind == "sgd":
        return torch.optim.SGD(parameters, **settings)
    raise ValueError(f"unknown optimizer '{kind}'")


def learning_rate(step: int, total_steps: int, peak: float, config: dict[str, Any]) -> float:
    """Learning rate of a step, counted from 0: a linear warm-up, then ``constant``, or ``linear`` or ``cosine`` decay
    that would reach zero one step after the last."""
    warmup = config["warmup_steps"]
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if config["type"] == "constant":
        return peak
    progress = (step - warmup) / max(1, total_steps - warmup)
    if config["type"] == "linear":
        return peak * (1 - progress)
    return peak * 0.5 * (1 + math.cos(math.pi * progress))
