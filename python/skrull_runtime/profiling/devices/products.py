"""The speed of a model's matrix products by themselves, in their own shapes: what a token's time is divided by."""

from __future__ import annotations

from collections import Counter

import torch
from torch import nn
from torch.nn.functional import linear

from .timing import median_seconds

MOST_ROWS = 8192  # tokens, beyond which speed hardly depends on them
# FLOPs of a parameter and token that a step may have: forward and one gradient, or both and a recomputed forward.
FEWEST_FLOPS, MOST_FLOPS = 4, 8
TOLERANCE = 1.02

# Inputs, outputs, and whether the weight has a gradient.
Shape = tuple[int, int, bool]


def shapes_of(model: nn.Module, body_flops: float) -> Counter[Shape]:
    """The linear layers of a model's transformer layers, by shape. None at all where they are not what the body's FLOPs a
    token are made of, like the experts of a mixture."""
    found = Counter(
        (own.in_features, own.out_features, own.weight.requires_grad)
        for name, own in model.named_modules()
        if isinstance(own, nn.Linear) and ".layers." in f".{name}"
    )
    parameters = sum(count * inputs * outputs for (inputs, outputs, _), count in found.items())
    least, most = (parameters * flops for flops in (FEWEST_FLOPS, MOST_FLOPS))
    return found if least / TOLERANCE <= body_flops <= most * TOLERANCE else Counter()


def products_flops(
    shapes: Counter[Shape], tokens: int, dtype: torch.dtype, device: torch.device, repeats: int
) -> float | None:
    """FLOPs per second of products of these shapes, forward and backward, for ``tokens`` rows. Collective. None without
    shapes."""
    rows = min(tokens, MOST_ROWS)
    flops = seconds = 0.0
    for (inputs, outputs, trained), count in shapes.items():
        seconds += count * _seconds(inputs, outputs, trained, rows, dtype, device, repeats)
        flops += count * 2.0 * rows * inputs * outputs * (3 if trained else 2)
    return flops / seconds if seconds > 0 else None


def _seconds(
    inputs: int,
    outputs: int,
    trained: bool,
    rows: int,
    dtype: torch.dtype,
    device: torch.device,
    repeats: int,
) -> float:
    """One product with its gradients."""
    left = torch.ones(rows, inputs, dtype=dtype, device=device, requires_grad=True)
    weight = torch.ones(outputs, inputs, dtype=dtype, device=device, requires_grad=trained)
    gradient = torch.ones(rows, outputs, dtype=dtype, device=device)
    wanted = [left, weight] if trained else [left]

    def both_ways() -> tuple[torch.Tensor, ...]:
        return torch.autograd.grad(linear(left, weight), wanted, gradient)

    with torch.enable_grad():
        return median_seconds(both_ways, device, repeats)
