"""Attention sinks: one logit per head that takes part in the softmax but has no value (gpt-oss).

Let z be the log-sum-exp of a query's products and s the sink of its head. The sink scales the output by sigmoid(z - s), and
log(e^z + e^s) replaces z. A kernel that knows nothing about sinks computes the right gradients of queries, keys and values
when its backward is given these two, as it uses no other results.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from ...errors import UserError
from .kept import Made


def with_sinks(made: Made, sinks: torch.Tensor | None) -> Made:
    """The result of a kernel's forward, changed in place. ``sinks`` ``[H]``, or None.

    Raises UserError where the kernel returns no log-sum-exp.
    """
    if sinks is None:
        return made
    output, rest = made
    for rows, sums in _sums(output, rest):
        own = sinks.detach().to(sums.dtype).unsqueeze(1)
        share = torch.sigmoid(sums - own)  # [H, t]
        output[rows] *= share.transpose(0, 1).unsqueeze(2).to(output.dtype)
        sums.copy_(torch.logaddexp(sums, own))
    return made


def gradient_of_sinks(
    sinks: torch.Tensor | None, gradient: torch.Tensor, made: Made
) -> torch.Tensor | None:
    """The gradient ``[H]`` of the sinks, from the output's gradient ``[T, H, D]`` and the result of :func:`with_sinks`; None
    without sinks."""
    if sinks is None:
        return None
    output, rest = made
    parts = []
    for rows, sums in _sums(output, rest):
        pair = (each[rows].to(sums.dtype) for each in (gradient, output))
        share = torch.exp(sinks.to(sums.dtype).unsqueeze(1) - sums)
        parts.append(-(share * torch.einsum("thd,thd->ht", *pair)).sum(1))
    return torch.stack(parts).sum(0).to(sinks.dtype)


def _sums(output: torch.Tensor, rest: list[torch.Tensor]) -> Iterator[tuple[slice, torch.Tensor]]:
    """Log-sum-exps ``[H, t]`` and the rows that they belong to, in order; other tensors hold random-number states."""
    start, heads = 0, output.shape[1]
    for each in rest:
        if each.is_floating_point() and each.numel():
            sums = each.view(heads, -1)
            yield slice(start, start + sums.shape[1]), sums
            start += sums.shape[1]
    if start != len(output):
        raise UserError(
            "the model has attention sinks, which attention = sdpa does not have on a GPU; choose flash3, flash2 or varlen"
        )
