"""Stands in for causal-conv1d, on CPUs: upstream's signatures and what it asks of its arguments."""

from __future__ import annotations

import torch
from torch.nn.functional import conv1d, silu


def causal_conv1d_fn(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    seq_idx: torch.Tensor | None = None,
    initial_states: torch.Tensor | None = None,
    return_final_states: bool = False,
    final_states_out: torch.Tensor | None = None,
    activation: str | None = None,
) -> torch.Tensor:
    """x ``[B, C, T]``, weight ``[C, W]``, bias ``[C]``, seq_idx ``[B, T]`` int32."""
    assert initial_states is None and not return_final_states and final_states_out is None
    assert activation in (None, "silu", "swish")
    sizes = [x.shape[2]]
    if seq_idx is not None:
        assert x.stride(1) == 1, "with seq_idx, channels must be next to each other"
        assert seq_idx.dtype == torch.int32 and seq_idx.shape == (x.shape[0], x.shape[2])
        sizes = torch.unique_consecutive(seq_idx[0], return_counts=True)[1].tolist()
    parts = [_convolved(own, weight, bias) for own in x.split(sizes, 2)]
    out = torch.cat(parts, 2)
    return out if activation is None else silu(out)


def causal_conv1d_update(*_: object, **__: object) -> None:
    """Of generation, which no run does."""
    raise AssertionError("called")


def _convolved(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    width = weight.shape[1]
    return conv1d(x, weight.unsqueeze(1), bias, padding=width - 1, groups=x.shape[1])[
        ..., : x.shape[2]
    ]
