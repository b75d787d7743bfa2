"""One rank of the overlap test: the order of events in the attention of a micro-batch with a sharded sequence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from skrull_runtime import gathering
from skrull_runtime.attention import AttentionContext, skrull_attention
from skrull_runtime.groups import GroupTable
from skrull_runtime.kernels import sdpa_kernel
from skrull_runtime.layout import Layout, ShardGroup

LOCAL, CHUNK, HEADS, KV_HEADS, DIM = 6, 2, 4, 2, 8

events: list[str] = []


def logged(name: str, function):
    """The function, with an event when it is called."""

    def call(*args, **kwargs):
        events.append(name)
        return function(*args, **kwargs)

    return call


def kernel(query, key, value, query_lengths, key_lengths, scaling, window):
    """The SDPA kernel, with an event when it runs and when its backward does."""
    name = "local" if query_lengths == [LOCAL] else "sharded"
    events.append(name)
    output = sdpa_kernel(query, key, value, query_lengths, key_lengths, scaling, window)
    output.register_hook(lambda gradient: events.append(f"{name} backward"))
    return output


def main() -> None:
    """Runs one attention forward and backward and writes rank 0's events."""
    dist.init_process_group("gloo")
    gathering.dist.all_gather_single = logged("gather starts", dist.all_gather_single)
    gathering.dist.reduce_scatter_single = logged("scatter starts", dist.reduce_scatter_single)
    gathering._Transfer.wait = logged("arrived", gathering._Transfer.wait)
    rank = dist.get_rank()
    group = ShardGroup(first_rank=0, degree=2, sequences=(3,), chunks=(CHUNK,))
    layout = Layout(rank, local=(LOCAL,), local_sequences=(9,), groups=(group,))
    tokens = LOCAL + 2 * CHUNK
    query = torch.randn(1, HEADS, tokens, DIM, requires_grad=True)
    key, value = (torch.randn(1, KV_HEADS, tokens, DIM, requires_grad=True) for _ in range(2))
    groups = GroupTable()
    groups.prepare([2])
    context = AttentionContext(layout, groups, kernel)
    output, _ = skrull_attention(None, query, key, value, None, scaling=0.3, skrull=context)
    output.square().sum().backward()
    if rank == 0:
        Path(sys.argv[1]).write_text(json.dumps(events))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
