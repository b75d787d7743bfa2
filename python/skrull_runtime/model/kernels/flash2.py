"""FlashAttention-2 (https://github.com/Dao-AILab/flash-attention, ``flash_attn/flash_attn_interface.py``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ...batches.segments import Segments
from .gpu import Settings, flash_settings, signature_problem
from .kernel import Kernel, Masking
from .widths import AnyWidths

# Parameters that are used of the functions below the public one, which have no gradient of their own: since 2.7.0.
FORWARD = (
    "q", "k", "v", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k", "dropout_p",
    "softmax_scale", "causal", "window_size_left", "window_size_right", "softcap",
)  # fmt: skip
BACKWARD = (
    "dout", "q", "k", "v", "out", "softmax_lse", "dq", "dk", "dv", "cu_seqlens_q", "cu_seqlens_k",
    "max_seqlen_q", "max_seqlen_k", "dropout_p", "softmax_scale", "causal", "window_size_left",
    "window_size_right", "softcap", "alibi_slopes", "deterministic",
)  # fmt: skip


def make(device: torch.device) -> Kernel | str:
    """The kernel, or why there is none."""
    try:
        from flash_attn import flash_attn_interface as module
    except ImportError as error:
        return f"needs the package flash-attn ({error})"
    forward: Any = getattr(module, "_flash_attn_varlen_forward", None)
    backward: Any = getattr(module, "_flash_attn_varlen_backward", None)
    problem = signature_problem(forward, FORWARD) or signature_problem(backward, BACKWARD)
    if problem is not None:
        return f"needs flash-attn 2.7 or later: {problem}"
    return AnyWidths(Flash2Kernel(forward, backward))


class Flash2Kernel:
    """Its backward holds gradients of keys and values for every query head, and adds them up afterwards."""

    name = "flash2"

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]):
        self._forward, self._backward = forward, backward

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See :class:`.kernel.Kernel`."""
        output, sums, *_ = self._forward(q, k, v, **self._settings(segments, mask))
        return output, [sums]

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
        output, (sums,) = made
        self._backward(
            gradient,
            *inputs,
            output,
            sums,
            *into,
            **self._settings(segments, mask),
            alibi_slopes=None,
            deterministic=mask.deterministic,
        )

    @staticmethod
    def _settings(segments: Segments, mask: Masking) -> Settings:
        return {**flash_settings(segments, mask), "dropout_p": 0.0, "causal": True}
