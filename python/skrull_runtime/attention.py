"""Packed and context-parallel attention inside unmodified Hugging Face models.

Registered as an attention implementation of transformers. A micro-batch's layout travels as a keyword argument of the
model's call, not as a global: activation checkpointing runs attention, and its collectives, again in the backward.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from transformers import AttentionInterface

from .groups import GroupTable
from .kernels import Kernel
from .layout import Layout, ShardGroup, zigzag_positions

# transformers builds no mask for a name it does not know; one with "flash" in it would be treated as FlashAttention.
NAME = "skrull"


class AttentionContext:
    """What attention needs besides tensors; handed through the model as ``skrull``."""

    def __init__(self, layout: Layout, groups: GroupTable, kernel: Kernel):
        self.layout, self.groups, self.kernel = layout, groups, kernel


def register() -> None:
    """Makes ``attn_implementation="skrull"`` known to transformers."""
    AttentionInterface.register(NAME, skrull_attention)


def skrull_attention(
    module,
    query,
    key,
    value,
    attention_mask,
    *,
    scaling,
    dropout=0.0,
    skrull=None,
    sliding_window=None,
    **kwargs,
):
    """Causal attention within each sequence of a packed micro-batch, to the nearest ``sliding_window`` tokens if set.

    query ``[1, H, T, D]``, key and value ``[1, H_kv, T, D]`` after rotary embedding, not expanded; returns
    ``[1, T, H, D]`` and no weights.
    """
    if skrull is None:
        raise ValueError("the model was called without its layout; call it through skrull_runtime")
    if dropout:
        raise ValueError(
            "attention dropout is not supported: set attention_dropout to 0 in the model's configuration"
        )
    q, k, v = (tensor.squeeze(0).transpose(0, 1) for tensor in (query, key, value))  # [T, heads, D]
    layout: Layout = skrull.layout
    outputs = []
    end = sum(layout.local)
    if end:
        lengths = list(layout.local)
        outputs.append(
            skrull.kernel(q[:end], k[:end], v[:end], lengths, lengths, scaling, sliding_window)
        )
    for group in layout.groups:
        start, end = end, end + group.tokens
        outputs.append(
            _sharded(
                q[start:end], k[start:end], v[start:end], group, skrull, scaling, sliding_window
            )
        )
    return torch.cat(outputs).unsqueeze(0), None


def _sharded(
    q, k, v, group: ShardGroup, context: AttentionContext, scaling: float, window: int | None
) -> torch.Tensor:
    """Attention of this rank's chunks to the keys and values of their whole sequences."""
    process_group = context.groups.get(group.degree, group.first_rank)
    both = torch.stack((k, v), dim=1)  # one collective for keys and values
    whole = _Gather.apply(both.contiguous(), process_group)
    whole = whole.index_select(0, _sequence_order(group, whole.device))
    member = context.layout.rank - group.first_rank
    keys, values, lengths, known = [], [], [], []
    first = 0
    for chunk in group.chunks:
        for positions in zigzag_positions(chunk, group.degree, member):
            keys.append(whole[first : first + positions.stop, 0])
            values.append(whole[first : first + positions.stop, 1])
            lengths.append(chunk)
            known.append(positions.stop)
        first += 2 * group.degree * chunk
    return context.kernel(q, torch.cat(keys), torch.cat(values), lengths, known, scaling, window)


def _sequence_order(group: ShardGroup, device: torch.device) -> torch.Tensor:
    """For each token of the padded sequences in order, its row in the gathered shards, which are rank by rank."""
    rows = []
    offset = 0
    for chunk in group.chunks:
        for part in range(2 * group.degree):
            mirrored = part >= group.degree
            member = 2 * group.degree - 1 - part if mirrored else part
            start = member * group.tokens + offset + (chunk if mirrored else 0)
            rows.append(torch.arange(start, start + chunk, device=device))
        offset += 2 * chunk
    return torch.cat(rows)


class _Gather(torch.autograd.Function):
    """All-gather along the first dimension; the backward sums the gradients of all ranks (reduce-scatter)."""

    @staticmethod
    def forward(ctx, local: torch.Tensor, group: dist.ProcessGroup) -> torch.Tensor:
        ctx.group = group
        size = dist.get_world_size(group)
        whole = local.new_empty((size * local.shape[0], *local.shape[1:]))
        dist.all_gather_single(whole, local, group=group)
        return whole

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        size = dist.get_world_size(ctx.group)
        local = gradient.new_empty((gradient.shape[0] // size, *gradient.shape[1:]))
        dist.reduce_scatter_single(local, gradient.contiguous(), group=ctx.group)
        return local, None
