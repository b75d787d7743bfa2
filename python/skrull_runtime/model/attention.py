"""Packed and context-parallel attention inside unmodified Hugging Face models.

It is registered as an attention implementation of transformers. What attention needs of a micro-batch is passed as a
keyword argument of the model's call: activation checkpointing runs attention, with its collectives, again in the backward.
Models that keep such arguments to themselves take it from the micro-batch that was last begun.
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

# What models hand on to their attention, and which changes nothing of it: positions that are in query and key already,
# what is asked of outputs, and the caches and masks of generation (None in training).
IDLE = frozenset(
    (
        "position_ids",
        "cache_position",
        "use_cache",
        "output_attentions",
        "output_hidden_states",
        "output_router_logits",
        "past_key_values",
        "position_embeddings",
        "return_dict",
        "layer_idx",
    )
)

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


# For models that do not hand on to their attention what they are called with (StableLM, Nemotron). It stays until the next
# micro-batch begins, so that layers that run again in the backward find it too.
_begun: AttentionContext | None = None


def begin(context: AttentionContext) -> None:
    """Begins the forward and backward of a micro-batch."""
    global _begun
    _begun = context


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
    scaling: float | None = None,
    dropout: float = 0.0,
    skrull: AttentionContext | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of a packed micro-batch, limited to the nearest ``sliding_window`` tokens if
    set, with the sinks ``s_aux`` ``[H]`` if given.

    query ``[1, H, T, D]``, key ``[1, H_kv, T, D]`` and value ``[1, H_kv, T, D_v]`` after rotary embedding, not expanded;
    returns ``[1, T, H, D_v]`` and no weights. Raises UserError where the model was called without ``skrull``, or asks for
    attention of another kind.
    """
    context = skrull or _begun
    if context is None:
        raise UserError("the model was called without its layout; call it through skrull_runtime")
    if dropout:
        raise UserError(
            "attention dropout is not supported: set attention_dropout to 0 in the model's configuration"
        )
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    problem = _not_understood(query, key, value, attention_mask, causal, kwargs)
    if problem is not None:
        raise UserError(problem)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    mask = Masking(scaling, sliding_window, softcap or 0.0, context.deterministic)
    plan, sizes = context.plan, context.plan.sizes
    # Views: the backward of a split is a single concatenation, whatever the number of groups.
    q, k, v = (tensor.squeeze(0).transpose(0, 1).split(sizes) for tensor in (query, key, value))
    first = len(sizes) - len(plan.groups)
    # Keys and values travel while the local sequences are attended to (arXiv:2505.19609 Eq. 2).
    departed = [
        _depart(torch.cat((own_k, own_v), dim=-1), own_k.shape[-1], group, context, mask)
        for group, own_k, own_v in zip(plan.groups, k[first:], v[first:], strict=True)
    ]
    outputs: list[torch.Tensor] = []
    if plan.local is not None:
        outputs.append(Attend.apply(q[0], k[0], v[0], plan.local, context.kernel, mask, s_aux))
    for own_q, (both, sharded) in zip(q[first:], departed, strict=True):
        outputs.append(ShardedAttention.apply(own_q, both, sharded, s_aux))
    output = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    return output.unsqueeze(0), None


def _not_understood(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    causal: bool,
    others: dict[str, Any],
) -> str | None:
    """Why this is not the attention that is computed here; None if it is."""
    unknown = sorted(name for name, own in others.items() if name not in IDLE and own is not None)
    if unknown:
        return f"its attention takes {', '.join(unknown)}, which skrull does not know"
    if mask is not None:
        return "its attention takes a mask of the model's own"
    if not causal:
        return "its attention is not causal"
    rows = {each.shape[:1] + each.shape[2:3] for each in (query, key, value)}
    if rows != {(1, query.shape[2])} or query.shape[1] % key.shape[1]:
        return "its attention has other keys than the tokens of its sequences"
    return None


def _depart(
    both: torch.Tensor, width: int, plan: GroupPlan, context: AttentionContext, mask: Masking
) -> tuple[torch.Tensor, Sharded]:
    """Sends the keys and values ``[T, H_kv, D + D_v]`` of this rank's chunks; keys are ``width`` wide."""
    traffic = plan.traffic(mask.window)
    heads = both.shape[1]
    slice_heads = context.slicing.heads(sum(traffic.segments.keys), heads, -(-both.shape[2] // 2))
    sharded = Sharded(
        exchange(traffic, context.groups.get(plan.group.degree, plan.group.first_rank)),
        traffic,
        context.kernel,
        mask,
        width,
        slice_heads,
        context.slicing.keeps(slice_heads, heads),
    )
    return Departure.apply(both, sharded), sharded
