"""One rank of the overlap test: the order of events in the attention of a micro-batch with a sharded sequence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from skrull_runtime.batches.layout import Layout, ShardGroup
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.model import exchange
from skrull_runtime.model.attention import AttentionContext, skrull_attention
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.model.kernels.sdpa import SdpaKernel
from skrull_runtime.model.slicing import Slicing

LOCAL, CHUNK, HEADS, KV_HEADS, DIM = 6, 2, 4, 2, 8

events: list[str] = []


def logged(name: str, function):
    """The function, with an event when it is called."""

    def call(*args, **kwargs):
        events.append(name)
        return function(*args, **kwargs)

    return call


class LoggedKernel(SdpaKernel):
    """The SDPA kernel, with an event when it runs and when its backward does."""

    def forward(self, q, k, v, segments, mask):
        """With its event."""
        events.append(_name(segments))
        return super().forward(q, k, v, segments, mask)

    def backward(self, gradient, inputs, made, segments, mask, into):
        """With its event."""
        events.append(f"{_name(segments)} backward")
        super().backward(gradient, inputs, made, segments, mask, into)


def _name(segments) -> str:
    return "local" if segments.queries == (LOCAL,) else "sharded"


def main() -> None:
    """Runs one attention forward and backward, in so many slices of heads, and writes rank 0's events."""
    dist.init_process_group("gloo")
    exchange.all_gather_single = logged("keys set out", exchange.all_gather_single)
    dist.all_to_all_single = logged("gradients set out", dist.all_to_all_single)
    exchange.Arriving.wait = logged("arrived", exchange.Arriving.wait)
    rank = dist.get_rank()
    group = ShardGroup(first_rank=0, degree=2, sequences=(3,), chunks=(CHUNK,))
    layout = Layout(rank, local=(LOCAL,), local_sequences=(9,), groups=(group,))
    tokens = LOCAL + 2 * CHUNK
    query = torch.randn(1, HEADS, tokens, DIM, requires_grad=True)
    key, value = (torch.randn(1, KV_HEADS, tokens, DIM, requires_grad=True) for _ in range(2))
    groups = GroupTable()
    groups.prepare([2])
    plan = MicroBatch.of(np.zeros((4, tokens), np.int64), layout).plan
    slicing = Slicing(None if sys.argv[2] == "1" else 1, recomputes=True)
    context = AttentionContext(plan, groups, LoggedKernel(), slicing)
    output, _ = skrull_attention(None, query, key, value, None, scaling=0.3, skrull=context)
    output.square().sum().backward()
    if rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(events))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
