"""Attention of whole sequences, to compare with: by its definition in fp32, and PyTorch's own in the model's precision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention

ROWS = 1024  # of queries at a time: products of longer sequences would not fit


@dataclass(frozen=True)
class Attended:
    """Output ``[T, H, D]`` and gradients of query ``[T, H, D]``, key and value ``[T, H_kv, D]``."""

    output: torch.Tensor
    of_q: torch.Tensor
    of_k: torch.Tensor
    of_v: torch.Tensor

    def parts(self) -> dict[str, torch.Tensor]:
        """By name."""
        return {"output": self.output, "dq": self.of_q, "dk": self.of_k, "dv": self.of_v}


@dataclass(frozen=True)
class Whole:
    """Query ``[T, H, D]``, key and value ``[T, H_kv, D]`` of concatenated sequences, and the output's gradient."""

    q: torch.Tensor
    k: torch.Tensor
    v: torch.Tensor
    gradient: torch.Tensor
    lengths: tuple[int, ...]
    scaling: float
    window: int | None

    def sequence(self, first: int, length: int) -> Whole:
        """One of them."""
        own = slice(first, first + length)
        parts = (self.q[own], self.k[own], self.v[own], self.gradient[own])
        return Whole(*parts, (length,), self.scaling, self.window)


def by_definition(whole: Whole) -> Attended:
    """In fp32, with the gradients written out."""
    return _each(whole, _defined)


def by_pytorch(whole: Whole) -> Attended:
    """``scaled_dot_product_attention`` on every sequence by itself, none of it sharded, in the precision given."""
    return _each(whole, _sdpa)


def _each(whole: Whole, attend: Callable[[Whole], Attended]) -> Attended:
    first, found = 0, []
    for length in whole.lengths:
        found.append(attend(whole.sequence(first, length)))
        first += length
    names = ("output", "of_q", "of_k", "of_v")
    return Attended(*(torch.cat([getattr(own, name) for own in found]) for name in names))


def _defined(own: Whole) -> Attended:
    result = Attended(
        *(torch.zeros_like(t, dtype=torch.float32) for t in (own.q, own.q, own.k, own.v))
    )
    per = own.q.shape[1] // own.k.shape[1]
    for head in range(own.k.shape[1]):
        heads = slice(head * per, (head + 1) * per)
        for first in range(0, len(own.q), ROWS):
            _add_rows(own, result, head, heads, slice(first, first + ROWS))
    return result


def _add_rows(own: Whole, result: Attended, head: int, heads: slice, rows: slice) -> None:
    """Some queries of the heads that share a key: their output and gradient, and their part of the keys'."""
    q, gradient = (t[rows, heads].float().transpose(0, 1) for t in (own.q, own.gradient))
    k, v = own.k[:, head].float(), own.v[:, head].float()
    products = q @ k.t() * own.scaling
    weights = products.masked_fill_(_hidden(own, rows), float("-inf")).softmax(-1)
    output = weights @ v
    of_weights = gradient @ v.t()
    of_products = weights * (of_weights - (gradient * output).sum(-1, keepdim=True)) * own.scaling
    result.output[rows, heads] = output.transpose(0, 1)
    result.of_q[rows, heads] = (of_products @ k).transpose(0, 1)
    result.of_k[:, head] += (of_products.transpose(1, 2) @ q).sum(0)
    result.of_v[:, head] += (weights.transpose(1, 2) @ gradient).sum(0)


def _hidden(own: Whole, rows: slice) -> torch.Tensor:
    """``[rows, T]``: keys that a query does not see."""
    queries, keys = (torch.arange(own.lengths[0], device=own.q.device) for _ in range(2))
    before = queries[rows].unsqueeze(1) - keys
    hidden = before < 0
    return hidden if own.window is None else hidden | (before >= own.window)


def _sdpa(own: Whole) -> Attended:
    q, k, v = (
        t.detach().transpose(0, 1).unsqueeze(0).requires_grad_() for t in (own.q, own.k, own.v)
    )
    narrow = own.window is not None and own.window < own.lengths[0]
    mask = ~_hidden(own, slice(None)) if narrow else None
    output = scaled_dot_product_attention(
        q,
        k,
        v,
        attn_mask=mask,
        is_causal=mask is None,
        scale=own.scaling,
        enable_gqa=q.shape[1] != k.shape[1],
    )
    gradients = torch.autograd.grad(output, (q, k, v), own.gradient.transpose(0, 1).unsqueeze(0))
    return Attended(*(t.detach().squeeze(0).transpose(0, 1) for t in (output, *gradients)))
