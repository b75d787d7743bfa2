"""How long a kernel takes, and what it holds meanwhile."""

from __future__ import annotations

from typing import Any

import torch
from document import Row
from machine import Machine
from settings import Settings

from skrull_runtime.batches.segments import Segments
from skrull_runtime.model.kernels.kernel import Kernel, Masking


def timed(
    kernel: Kernel,
    tensors: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor],
    segments: Segments,
    window: int | None,
    settings: Settings,
) -> Row:
    """Times of a kernel's forward and backward on query, key, value and the output's gradient, and memory at work."""
    q, k, v, gradient = tensors
    mask = Masking(q.shape[-1] ** -0.5, window)
    machine: Machine = settings.machine

    def forward() -> Any:
        return kernel.forward(q, k, v, segments, mask)

    made = forward()
    into = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)

    def backward() -> None:
        kernel.backward(gradient, (q, k, v), made, segments, mask, into)

    return {
        "forward_ms": machine.milliseconds(forward, settings.repeats),
        "backward_ms": machine.milliseconds(backward, settings.repeats),
        "forward_bytes": machine.peak_bytes(forward),
        "backward_bytes": machine.peak_bytes(backward),
    }
