"""Attention of a rank's chunks to the keys and values of their whole sequences, which are exchanged meanwhile.

Keys and values are exchanged, attended to and sent back in slices of their heads: the kernel and its workspace hold only
one slice, and the keys of the next slice are in transit while it works.

Autograd runs first what was created last. The forward runs departure, local attention, sharded attention. The backward
therefore starts with sharded attention; the gradients of its last slice are in transit while the backward of local
attention runs, and then the backward of the departure waits for them. All ranks of a group do this in the same order,
because they share the layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from ..batches.segments import Traffic
from .exchange import Arriving, Exchange
from .kernels.kept import is_kept, made_once
from .kernels.kernel import Kernel, Masking
from .kernels.sinks import gradient_of_sinks, with_sinks


@dataclass
class Sharded:
    """What departure and attention share, for one group in one layer."""

    exchange: Exchange
    traffic: Traffic
    kernel: Kernel
    mask: Masking
    width: int  # D, of a head's key; values may have another one, D_v
    slice_heads: int  # key-value heads at a time
    keeps: bool  # arrived keys and values for the backward, instead of exchanging them again
    arriving: Arriving | None = None  # the first slice, in the forward
    back: tuple[slice, Arriving] | None = None  # gradients of a slice of heads, in transit
    gradient: torch.Tensor | None = None  # of keys and values, filled slice by slice

    def slices(self, heads: int) -> list[slice]:
        """The slices of ``heads`` key-value heads."""
        step = min(self.slice_heads, heads)
        return [slice(first, min(first + step, heads)) for first in range(0, heads, step)]

    def send(self, both: torch.Tensor, own: slice | None) -> Arriving | None:
        """Sends keys and values, ``both`` ``[T, H_kv, D + D_v]``, of a slice of heads, if there is one."""
        return None if own is None else self.exchange.start(both[:, own])

    def arrived(self, arriving: Arriving | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys ``[K, heads, D]`` and values ``[K, heads, D_v]`` of all segments."""
        assert arriving is not None
        return self.parts(arriving.wait().index_select(0, self.traffic.rows))

    def parts(self, both: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values, or their gradients: views of ``[..., D + D_v]``."""
        return both[..., : self.width], both[..., self.width :]

    def send_back(self, own: slice, gradient: torch.Tensor, both: torch.Tensor) -> None:
        """Sends gradients ``[K, heads, D + D_v]`` of the keys and values of all segments. Those of the previous slice were in
        transit meanwhile, and are collected."""
        shape = (self.exchange.rows(len(both)), *gradient.shape[1:])
        rows = gradient.new_zeros(shape).index_add_(0, self.traffic.rows, gradient)
        self.take_back(both)
        self.back = own, self.exchange.start_back(rows)

    def take_back(self, both: torch.Tensor) -> None:
        """Waits for the gradients that are in transit, and stores them."""
        if self.gradient is None:
            self.gradient = torch.empty_like(both)
        if self.back is not None:
            (own, arriving), self.back = self.back, None
            into = self.gradient[:, own]
            into.copy_(self.exchange.total(arriving.wait(), into))


class Departure(torch.autograd.Function):
    """Sends keys and values."""

    @staticmethod
    def forward(ctx: Any, both: torch.Tensor, sharded: Sharded) -> torch.Tensor:
        """both ``[T, H_kv, D + D_v]``; returns it."""
        ctx.sharded = sharded
        sharded.arriving = sharded.send(both, sharded.slices(both.shape[1])[0])
        return both.view_as(both)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, placeholder: torch.Tensor) -> tuple[torch.Tensor | None, None]:
        """The gradients ``[T, H_kv, D + D_v]`` that sharded attention has sent back. The placeholder has their shape."""
        sharded: Sharded = ctx.sharded
        sharded.take_back(placeholder)
        gradient, sharded.gradient = sharded.gradient, None
        return gradient, None


class ShardedAttention(torch.autograd.Function):
    """Causal attention of queries to keys and values that have been sent."""

    @staticmethod
    def forward(
        ctx: Any,
        q: torch.Tensor,
        both: torch.Tensor,
        sharded: Sharded,
        sinks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """q ``[T, H, D]``, both ``[T, H_kv, D + D_v]``, sinks ``[H]``; returns ``[T, H, D_v]``."""
        kept: list[torch.Tensor] = []
        # If the kernel's results are kept from before, the keys in transit are for its backward.
        output, rest = made_once(lambda: _attend(q, both, sharded, kept, sinks))
        ctx.sharded, ctx.kept = sharded, len(kept)
        ctx.save_for_backward(q, both, sinks, output, *kept, *rest)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of the query and the sinks. Those of keys and values are in transit: the backward of the departure
        collects them, and gets a placeholder of their shape."""
        sharded: Sharded = ctx.sharded
        q, both, sinks, output, *more = ctx.saved_tensors
        slices, per = sharded.slices(both.shape[1]), q.shape[1] // both.shape[1]
        kept, rest = more[: ctx.kept], more[ctx.kept :]
        each = len(rest) // len(slices)
        of_q = torch.empty_like(q)
        of_sinks = None if sinks is None else torch.empty_like(sinks)
        arriving, sharded.arriving = sharded.arriving, None
        if not kept and arriving is None:
            arriving = sharded.send(both, slices[0])
        for number, own in enumerate(slices):
            if kept:
                keys, values = kept[2 * number : 2 * number + 2]
            else:
                keys, values = sharded.arrived(arriving)
                arriving = sharded.send(both, slices[number + 1] if own != slices[-1] else None)
            heads = _times(own, per)
            of_both = both.new_empty((len(keys), keys.shape[1], both.shape[2]))
            made = output[:, heads], rest[number * each : (number + 1) * each]
            if of_sinks is not None:
                part = gradient_of_sinks(sinks[heads], gradient[:, heads], made)
                assert part is not None
                of_sinks[heads] = part
            sharded.kernel.backward(
                gradient[:, heads],
                (q[:, heads], keys, values),
                made,
                sharded.traffic.segments,
                sharded.mask,
                (of_q[:, heads], *sharded.parts(of_both)),
            )
            del keys, values
            sharded.send_back(own, of_both, both)
        return of_q, both.new_empty(()).expand(both.shape), None, of_sinks


def _attend(
    q: torch.Tensor,
    both: torch.Tensor,
    sharded: Sharded,
    kept: list[torch.Tensor],
    sinks: torch.Tensor | None,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """As the forward of a kernel, slice by slice; every slice leaves equally many tensors for the backward. Adds arrived keys
    and values to ``kept`` if they are to be kept."""
    slices, per = sharded.slices(both.shape[1]), q.shape[1] // both.shape[1]
    outputs: list[torch.Tensor] = []
    rests: list[torch.Tensor] = []
    arriving, sharded.arriving = sharded.arriving, None
    for own, following in zip(slices, [*slices[1:], None], strict=True):
        keys, values = sharded.arrived(arriving)
        arriving = sharded.send(both, following)
        heads = _times(own, per)
        output, rest = with_sinks(
            sharded.kernel.forward(
                q[:, heads], keys, values, sharded.traffic.segments, sharded.mask
            ),
            None if sinks is None else sinks[heads],
        )
        outputs.append(output)
        rests += rest
        kept += [keys, values] if sharded.keeps and not is_kept() else []
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1), rests


def _times(own: slice, factor: int) -> slice:
    """The query heads of these key-value heads."""
    return slice(own.start * factor, own.stop * factor)
