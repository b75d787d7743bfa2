"""Keys and values in transit between the ranks of a group, and their gradients on the way back."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.distributed as dist

from ..batches.segments import Traffic
from ..process.collectives import all_gather_single


class Arriving:
    """A collective in progress, and the tensor that it fills."""

    def __init__(self, tensor: torch.Tensor, work: dist.Work | None):
        self._tensor, self._work = tensor, work

    def wait(self) -> torch.Tensor:
        """The tensor, filled."""
        if self._work is not None:
            self._work.wait()
            self._work = None
        return self._tensor


class Exchange(Protocol):
    """Rows ``[T, ...]`` of every member go out and ``[K, ...]`` come in; gradients of the latter go back."""

    def rows(self, own: int) -> int:
        """K, where this rank has ``own`` rows."""
        ...

    def start(self, own: torch.Tensor) -> Arriving:
        """Sends this rank's rows ``[T, ...]``."""
        ...

    def start_back(self, gradient: torch.Tensor) -> Arriving:
        """Sends the gradients ``[K, ...]`` of the rows that have arrived."""
        ...

    def total(self, arrived: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """The gradients of this rank's rows ``own`` ``[T, ...]``, from those that have come back, added once, in fp32."""
        ...


class Everything:
    """Every member gets the rows of all members, rank by rank. Gradients are exchanged and added by their receiver: a
    reduce-scatter would round to the model's precision on every rank that they pass."""

    def __init__(self, group: dist.ProcessGroup):
        self._group, self._members = group, dist.get_world_size(group)

    def rows(self, own: int) -> int:
        """T times the members."""
        return self._members * own

    def start(self, own: torch.Tensor) -> Arriving:
        """See :class:`Exchange`."""
        result = own.new_empty((self._members * own.shape[0], *own.shape[1:]))
        return Arriving(
            result, all_gather_single(result, own.contiguous(), group=self._group, async_op=True)
        )

    def start_back(self, gradient: torch.Tensor) -> Arriving:
        """See :class:`Exchange`."""
        result = torch.empty_like(gradient)
        work = dist.all_to_all_single(result, gradient, group=self._group, async_op=True)
        return Arriving(result, work)

    def total(self, arrived: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """See :class:`Exchange`."""
        parts = arrived.view(self._members, *own.shape)
        return parts.sum(0, dtype=_wider(own.dtype)).to(own.dtype)


class Reached:
    """Every member gets the rows that its windows reach, and no others."""

    def __init__(self, group: dist.ProcessGroup, traffic: Traffic):
        assert traffic.sent is not None
        self._group, self._sent = group, traffic.sent
        self._out, self._in = list(traffic.send_counts), list(traffic.receive_counts)

    def rows(self, own: int) -> int:
        """The number of rows that the windows reach."""
        return sum(self._in)

    def start(self, own: torch.Tensor) -> Arriving:
        """See :class:`Exchange`."""
        sent = own.index_select(0, self._sent)
        return self._exchange(sent, self._in, self._out)

    def start_back(self, gradient: torch.Tensor) -> Arriving:
        """See :class:`Exchange`."""
        return self._exchange(gradient, self._out, self._in)

    def total(self, arrived: torch.Tensor, own: torch.Tensor) -> torch.Tensor:
        """See :class:`Exchange`. Several members may have received the same row."""
        wide = _wider(own.dtype)
        sums = torch.zeros(own.shape, dtype=wide, device=own.device)
        return sums.index_add_(0, self._sent, arrived.to(wide)).to(own.dtype)

    def _exchange(self, rows: torch.Tensor, received: list[int], sent: list[int]) -> Arriving:
        result = rows.new_empty((sum(received), *rows.shape[1:]))
        work = dist.all_to_all_single(
            result, rows.contiguous(), received, sent, group=self._group, async_op=True
        )
        return Arriving(result, work)


def exchange(traffic: Traffic, group: dist.ProcessGroup) -> Exchange:
    """The way in which a group's members exchange the traffic."""
    return Everything(group) if traffic.sent is None else Reached(group, traffic)


def _wider(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)
