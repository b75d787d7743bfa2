"""Packed and context-parallel attention inside unmodified Hugging Face models.

Registered as an attention implementation of transformers. A micro-batch's layout travels as a keyword argument of the
model's call, not as a global: activation checkpointing runs attention, and its collectives, again in the backward.
"""

from __future__ import annotations

import torch
from transformers import AttentionInterface

from .errors import UserError
from .gathering import Gathering
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
        raise UserError("the model was called without its layout; call it through skrull_runtime")
    if dropout:
        raise UserError(
            "attention dropout is not supported: set attention_dropout to 0 in the model's configuration"
        )
    q, k, v = (tensor.squeeze(0).transpose(0, 1) for tensor in (query, key, value))  # [T, heads, D]
    layout: Layout = skrull.layout
    end = sum(layout.local)
    spans = []
    for group in layout.groups:
        spans.append(slice(end, end + group.tokens))
        end += group.tokens
    # Keys and values travel while the local sequences are attended to (arXiv:2505.19609 Eq. 2).
    arriving = [
        Gathering.start(k[span], v[span], skrull.groups.get(group.degree, group.first_rank))
        for group, span in zip(layout.groups, spans, strict=True)
    ]
    outputs = []
    if layout.local:
        lengths = list(layout.local)
        local = slice(0, sum(lengths))
        outputs.append(
            skrull.kernel(q[local], k[local], v[local], lengths, lengths, scaling, sliding_window)
        )
    for group, span, gathering in zip(layout.groups, spans, arriving, strict=True):
        outputs.append(
            _sharded(q[span], gathering.finish(), group, skrull, scaling, sliding_window)
        )
    return torch.cat(outputs).unsqueeze(0), None


def _sharded(
    q: torch.Tensor,
    gathered: torch.Tensor,
    group: ShardGroup,
    context: AttentionContext,
    scaling: float,
    window: int | None,
) -> torch.Tensor:
    """Attention of this rank's chunks to the keys and values of their whole sequences.

    q ``[T, H, D]``, gathered ``[degree * T, 2, H_kv, D]``, rank by rank.
    """
    whole = gathered.index_select(0, _sequence_order(group, gathered.device))
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
