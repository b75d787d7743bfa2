"""What a model asks of its attention, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface

from ..model.attention import skrull_attention

NAME = "skrull-observed"


@dataclass(frozen=True)
class Asked:
    """One call of the attention."""

    window: int | None
    softcap: bool
    sinks: bool
    scaling: float  # times the root of the key's width: 1 where it is the usual one
    heads: int
    key_heads: int
    width: int  # of a head of query and key
    value_width: int


_calls: list[Asked] = []  # in order


def observe() -> None:
    """Registers skrull's attention under :data:`NAME`; what it is asked is written down."""
    AttentionInterface.register(NAME, _observed_attention)
    _calls.clear()


def calls() -> tuple[Asked, ...]:
    """All calls since :func:`observe`."""
    return tuple(_calls)


def _observed_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    root = query.shape[-1] ** 0.5
    scaling = kwargs.get("scaling") or 1 / root
    result = skrull_attention(module, query, key, value, attention_mask, **kwargs)
    _calls.append(
        Asked(
            kwargs.get("sliding_window"),
            bool(kwargs.get("softcap")),
            kwargs.get("s_aux") is not None,
            round(float(scaling) * root, 6),
            query.shape[1],
            key.shape[1],
            query.shape[-1],
            value.shape[-1],
        )
    )
    return result
