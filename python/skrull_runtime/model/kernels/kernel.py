"""What a kernel of packed causal attention is."""

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
    """What a layer asks of its attention, besides that it is causal."""

    scaling: float  # of the products of queries and keys
    window: int | None = None  # tokens that a query sees, itself counted; None for all before it
    softcap: float = 0.0  # products are held below it by a tanh; 0 for none
    deterministic: bool = False  # gradients are added in the same order every time


class Kernel(Protocol):
    """Shapes: query ``[T, H, D]``, key ``[S, H_kv, D]``, value ``[S, H_kv, D_v]``, H a multiple of H_kv. A segment's
    queries are the last tokens of its keys (causal, aligned to the lower right)."""

    name: str

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The output ``[T, H, D_v]``, and what the backward needs besides: the log-sum-exp, as the kernel has it. All that
        is floating-point of it is, for ``[H, t]`` of the queries in their order."""
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
        """Writes the gradients of query, key and value, from that of the output. ``made``: what the forward returned."""
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
        """Of query, key, value and sinks."""
        q, k, v, sinks, output, *rest = ctx.saved_tensors
        into = torch.empty_like(q), torch.empty_like(k), torch.empty_like(v)
        made, kernel = (output, rest), ctx.kernel
        kernel.backward(gradient, (q, k, v), made, ctx.segments, ctx.mask, into)
        return *into, None, None, None, gradient_of_sinks(sinks, gradient, made)
