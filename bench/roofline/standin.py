"""Stands for an attention kernel: charges what it would compute, and allocates what it would allocate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from charge import Cost
from ledger import WORKSPACE
from meter import Meter
from operations import size

from skrull_runtime.batches.segments import Segments
from skrull_runtime.model.kernels.kernel import Masking

NAME = "attention kernel"
BACKWARD_WORK = 2.5  # times the forward's: five products, not two
BLOCK = 128  # rows to which FlashAttention pads every segment in its workspaces

Workspaces = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, int], list[torch.Tensor]]


@dataclass(frozen=True)
class Kind:
    """A library's kernels."""

    forward_launches: int
    backward_launches: int
    grouped_launches: int  # more in the backward, where query heads share keys
    workspaces: Workspaces  # of a backward, by query, key, value and the number of segments


def _flash2(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: int) -> list[torch.Tensor]:
    """Gradients of queries in fp32, and of keys and values for every query head."""
    tokens, heads, width = q.shape
    padded = tokens + BLOCK * segments
    made = [_floats(q, heads, padded), _floats(q, padded, heads, _rounded(width))]
    if k.shape[1] != heads:
        made += [each.new_empty((each.shape[0], heads, each.shape[2])) for each in (k, v)]
    return made


def _flash3(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: int) -> list[torch.Tensor]:
    """Gradients in fp32: of queries, and of keys and values for every one of their heads."""
    tokens, heads, width = q.shape
    padded, keys = tokens + BLOCK * segments, k.shape[0] + BLOCK * segments
    made = [_floats(q, 2, heads, padded), _floats(q, heads, padded, _rounded(width))]
    if k.shape[1] != heads:
        made += [_floats(q, k.shape[1], keys, _rounded(each.shape[2])) for each in (k, v)]
    return made


def _floats(like: torch.Tensor, *shape: int) -> torch.Tensor:
    return like.new_empty(shape, dtype=torch.float32)


def _rounded(width: int) -> int:
    step = 32 if width <= 128 else 64
    return -(-width // step) * step


KINDS = {"flash2": Kind(1, 3, 2, _flash2), "flash3": Kind(2, 3, 4, _flash3)}
KINDS["varlen"] = KINDS["flash2"]  # it is FlashAttention-2, inside of PyTorch


class StandIn:
    """See :class:`skrull_runtime.model.kernels.kernel.Kernel`."""

    def __init__(self, name: str, meter: Meter):
        self.name, self._kind, self._meter = name, KINDS[name], meter

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Output and log-sum-exp, neither with values."""
        output = q.new_empty((*q.shape[:2], v.shape[2]))
        sums = _floats(q, q.shape[1], q.shape[0])
        inputs, made = sum(map(size, (q, k, v))), size(output) + size(sums)
        flops = forward_flops(q, v, segments, mask)
        self._meter.charge(NAME, Cost(self._kind.forward_launches, flops, inputs, made, True))
        return output, [sums]

    def backward(
        self,
        gradient: torch.Tensor,
        inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        made: tuple[torch.Tensor, list[torch.Tensor]],
        segments: Segments,
        mask: Masking,
        into: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> None:
        """Writes nothing."""
        q, k, v = inputs
        with self._meter.inside(WORKSPACE):
            workspaces = self._kind.workspaces(q, k, v, len(segments.queries))
        extra = sum(map(size, workspaces))
        read = sum(map(size, (gradient, *inputs, made[0], *made[1]))) + extra
        written = sum(map(size, into)) + extra
        launches = self._kind.backward_launches
        if k.shape[1] != q.shape[1]:
            launches += self._kind.grouped_launches
        flops = BACKWARD_WORK * forward_flops(q, v, segments, mask)
        self._meter.charge(f"{NAME}, backward", Cost(launches, flops, read, written, True))


def forward_flops(q: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking) -> float:
    """Of the products of queries with keys, and of their weights with values."""
    pairs = sum(
        seen(queries, keys, mask.window)
        for queries, keys in zip(segments.queries, segments.keys, strict=True)
    )
    return 2.0 * q.shape[1] * (q.shape[2] + v.shape[2]) * pairs


def seen(queries: int, keys: int, window: int | None) -> int:
    """Pairs of a query and a key that it sees, where the queries are the last of the keys."""
    first = keys - queries + 1  # keys that the first query sees, without a window
    limit = keys if window is None else window
    growing = max(0, min(keys, limit) - first + 1) if first <= limit else 0
    return growing * first + growing * (growing - 1) // 2 + (queries - growing) * limit
