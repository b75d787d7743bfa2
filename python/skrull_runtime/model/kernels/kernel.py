"""The interface of a kernel for packed causal attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch.autograd.function import once_differentiable

from ...batches.segments import Segments
from .kept import made_once
from .sinks import gradient_of_sinks, with_sinks


@dataclass(frozen=True)
class Masking:
    """What a layer asks of its attention, besides causality."""

    scaling: float  # of the products of queries and keys
    window: int | None = None  # tokens that a query sees, including its own; None for all before it
    softcap: float = 0.0  # a tanh keeps products below it; 0 for none
    deterministic: bool = False  # gradients are added in the same order every time


class Kernel(Protocol):
    """A kernel. Shapes: query ``[T, H, D]``, key ``[S, H_kv, D]``, value ``[S, H_kv, D_v]``, H a multiple of H_kv. The
    queries of a segment are the last tokens of its keys (the causal mask is aligned to the lower right)."""

    name: str

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The output ``[T, H, D_v]``, and what else the backward needs: the log-sum-exp, as the kernel returns it. Its
        floating-point tensors are ``[H, t]`` each, and cover the queries in order."""
        ...

    def backward(
        self,
        gradient: torch.Tensor,
        inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        made: tuple[torch.Tensor, list[torch.Tensor]],
        segments: Segments,
        mask: Masking,
        into: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> None:
        """Writes the gradients of query, key and value to ``into``, given that of the output, ``[T, H, D_v]``. ``made``:
        what the forward returned."""
        ...


class Attend(torch.autograd.Function):
    """A kernel's attention, for autograd."""

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        k: torch.Tensor,
        v: torch.Tensor,
        segments: Segments,
        kernel: Kernel,
        mask: Masking,
        sinks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Shapes as in :class:`Kernel`; sinks ``[H]``, see :mod:`.sinks`."""
        output, rest = made_once(lambda: with_sinks(kernel.forward(q, k, v, segments, mask), sinks))
        ctx.save_for_backward(q, k, v, sinks, output, *rest)
        ctx.segments, ctx.kernel, ctx.mask = segments, kernel, mask
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of query, key, value and sinks."""
        q, k, v, sinks, output, *rest = ctx.saved_tensors
        into = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        made, kernel = (output, rest), ctx.kernel
        kernel.backward(gradient, (q, k, v), made, ctx.segments, ctx.mask, into)
        return *into, None, None, None, gradient_of_sinks(sinks, gradient, made)
