"""Heads of widths that a kernel does not take: they are filled up with zeros, which change neither products nor sums.

Latent attention (DeepSeek, Kimi) has values of another width than keys; some models have heads that are no multiple of 8.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import pad

from ...batches.segments import Segments
from ...errors import UserError
from .kernel import Kernel, Masking

WIDEST = 256
MULTIPLE = 8

Widths = tuple[int, int]  # of a key's head and of a value's


def of_one_width(widths: Widths) -> Widths:
    """What a kernel needs whose queries, keys and values must be of the same width."""
    wide = -(-max(widths) // MULTIPLE) * MULTIPLE
    return wide, wide


class AnyWidths:
    """A kernel that takes heads of some widths, for heads of any."""

    def __init__(self, kernel: Kernel, needed: Callable[[Widths], Widths] = of_one_width):
        """``needed``: the widths, at least as large, that the kernel takes instead of given ones."""
        self._kernel, self._needed = kernel, needed
        self.name = kernel.name

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See :class:`.kernel.Kernel`. Raises UserError where the heads are wider than any that the kernel takes."""
        of_key, of_value = self._widths(q, v)
        filled = widened(q, of_key), widened(k, of_key), widened(v, of_value)
        output, rest = self._kernel.forward(*filled, segments, mask)
        return output[..., : v.shape[-1]], rest

    def backward(
        self,
        gradient: torch.Tensor,
        inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        made: tuple[torch.Tensor, list[torch.Tensor]],
        segments: Segments,
        mask: Masking,
        into: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> None:
        """See :class:`.kernel.Kernel`."""
        q, k, v = inputs
        of_key, of_value = self._widths(q, v)
        filled = widened(q, of_key), widened(k, of_key), widened(v, of_value)
        of_q, of_k, of_v = into
        results = _room(of_q, filled[0]), _room(of_k, filled[1]), _room(of_v, filled[2])
        output, rest = made
        self._kernel.backward(
            widened(gradient, of_value),
            filled,
            (widened(output, of_value), rest),
            segments,
            mask,
            results,
        )
        for target, own in zip(into, results, strict=True):
            if own is not target:
                target.copy_(own[..., : target.shape[-1]])

    def _widths(self, q: torch.Tensor, v: torch.Tensor) -> Widths:
        needed = self._needed((q.shape[-1], v.shape[-1]))
        if max(needed) > WIDEST:
            raise UserError(
                f"attention = {self.name} takes heads of up to {WIDEST}, the model's have {max(q.shape[-1], v.shape[-1])}"
            )
        return needed


def widened(tensor: torch.Tensor, width: int) -> torch.Tensor:
    """``[T, H, D]`` with zeros up to ``[T, H, width]``; the same tensor where nothing is missing."""
    missing = width - tensor.shape[-1]
    return pad(tensor, (0, missing)) if missing else tensor


def _room(target: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Where a kernel writes a gradient: the target, unless it is too narrow."""
    return target if target.shape == like.shape else torch.empty_like(like)
