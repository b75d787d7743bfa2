"""All-gathers of keys and values that travel while something else is computed, forward and backward.

Autograd runs what was created last first. Forward: start, local attention, finish, sharded attention. Backward,
therefore: sharded attention, then the finish's backward starts the reduce-scatter, local attention's backward runs,
and the start's backward waits for it. The ranks of a group do this in the same order, because they share the layout.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.distributed as dist


@dataclass
class _Transfer:
    """What start and finish share: the group, and the collective under way with its result."""

    group: dist.ProcessGroup
    work: dist.Work | None = None
    result: torch.Tensor | None = None

    def wait(self) -> torch.Tensor:
        assert self.work is not None and self.result is not None
        self.work.wait()
        result, self.work, self.result = self.result, None, None
        return result


class Gathering:
    """Keys and values of a group's shards on their way to all of its ranks."""

    def __init__(self, whole: torch.Tensor, transfer: _Transfer):
        self._whole, self._transfer = whole, transfer

    @staticmethod
    def start(key: torch.Tensor, value: torch.Tensor, group: dist.ProcessGroup) -> Gathering:
        """Starts one collective for this rank's keys and values, both ``[T, H_kv, D]``."""
        transfer = _Transfer(group)
        both = torch.stack((key, value), dim=1)
        return Gathering(_Start.apply(both, transfer), transfer)

    def finish(self) -> torch.Tensor:
        """Keys and values ``[degree * T, 2, H_kv, D]``, rank by rank, once they are here."""
        return _Finish.apply(self._whole, self._transfer)


class _Start(torch.autograd.Function):
    @staticmethod
    def forward(ctx, local: torch.Tensor, transfer: _Transfer) -> torch.Tensor:
        ctx.transfer = transfer
        size = dist.get_world_size(transfer.group)
        transfer.result = local.new_empty((size * local.shape[0], *local.shape[1:]))
        transfer.work = dist.all_gather_single(
            transfer.result, local.contiguous(), group=transfer.group, async_op=True
        )
        return transfer.result

    @staticmethod
    def backward(ctx, _: torch.Tensor):
        return ctx.transfer.wait(), None


class _Finish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, whole: torch.Tensor, transfer: _Transfer) -> torch.Tensor:
        ctx.transfer = transfer
        transfer.wait()
        return whole.view_as(whole)

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        transfer = ctx.transfer
        size = dist.get_world_size(transfer.group)
        # Kept by the autograd graph until the start's backward has waited.
        gradient = gradient.contiguous()
        transfer.result = gradient.new_empty((gradient.shape[0] // size, *gradient.shape[1:]))
        transfer.work = dist.reduce_scatter_single(
            transfer.result, gradient, group=transfer.group, async_op=True
        )
        return gradient, None
