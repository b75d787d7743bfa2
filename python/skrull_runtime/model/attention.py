"""Packed and context-parallel attention inside unmodified Hugging Face models.

It is registered as an attention implementation of transformers. What attention needs of a micro-batch is passed as a
keyword argument of the model's call, not as a global: activation checkpointing runs attention, with its collectives, again
in the backward.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface

from ..batches.segments import AttentionPlan, GroupPlan
from ..errors import UserError
from .exchange import exchange
from .groups import GroupTable
from .kernels.kernel import Attend, Kernel, Masking
from .sharded import Departure, Sharded, ShardedAttention
from .slicing import Slicing

# transformers builds no mask for a name that it does not know; a name with "flash" in it would be treated as FlashAttention.
NAME = "skrull"


@dataclass(frozen=True)
class AttentionContext:
    """What attention needs besides tensors; passed through the model as ``skrull``."""

    plan: AttentionPlan  # on the device
    groups: GroupTable
    kernel: Kernel
    slicing: Slicing = field(default_factory=Slicing)
    deterministic: bool = False


def register() -> None:
    """Makes ``attn_implementation="skrull"`` known to transformers."""
    AttentionInterface.register(NAME, skrull_attention)


def skrull_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    dropout: float = 0.0,
    skrull: AttentionContext | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of a packed micro-batch, limited to the nearest ``sliding_window`` tokens if
    set, with the sinks ``s_aux`` ``[H]`` if given.

    query ``[1, H, T, D]``, key and value ``[1, H_kv, T, D]`` after rotary embedding, not expanded; returns
    ``[1, T, H, D]`` and no weights. Raises UserError where the model was called without ``skrull`` or with dropout.
    """
    if skrull is None:
        raise UserError("the model was called without its layout; call it through skrull_runtime")
    if dropout:
        raise UserError(
            "attention dropout is not supported: set attention_dropout to 0 in the model's configuration"
        )
    context = skrull
    mask = Masking(scaling, sliding_window, softcap or 0.0, context.deterministic)
    plan, sizes = context.plan, context.plan.sizes
    # Views: the backward of a split is a single concatenation, whatever the number of groups.
    q, k, v = (tensor.squeeze(0).transpose(0, 1).split(sizes) for tensor in (query, key, value))
    first = len(sizes) - len(plan.groups)
    # Keys and values travel while the local sequences are attended to (arXiv:2505.19609 Eq. 2).
    departed = [
        _depart(torch.stack((own_k, own_v), dim=1), group, context, mask)
        for group, own_k, own_v in zip(plan.groups, k[first:], v[first:], strict=True)
    ]
    outputs: list[torch.Tensor] = []
    if plan.local is not None:
        outputs.append(Attend.apply(q[0], k[0], v[0], plan.local, context.kernel, mask, s_aux))
    for own_q, (both, sharded) in zip(q[first:], departed, strict=True):
        outputs.append(ShardedAttention.apply(own_q, both, sharded, s_aux))
    output = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    return output.unsqueeze(0), None


def _depart(
    both: torch.Tensor, plan: GroupPlan, context: AttentionContext, mask: Masking
) -> tuple[torch.Tensor, Sharded]:
    """Sends the keys and values ``[T, 2, H_kv, D]`` of this rank's chunks."""
    traffic = plan.traffic(mask.window)
    heads = both.shape[2]
    slice_heads = context.slicing.heads(sum(traffic.segments.keys), heads, both.shape[3])
    sharded = Sharded(
        exchange(traffic, context.groups.get(plan.group.degree, plan.group.first_rank)),
        traffic,
        context.kernel,
        mask,
        slice_heads,
        context.slicing.keeps(slice_heads, heads),
    )
    return Departure.apply(both, sharded), sharded
