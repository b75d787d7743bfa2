"""PyTorch's own kernel for packed sequences (``torch.nn.attention.varlen``): FlashAttention-2 inside PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from ...batches.segments import Segments
from ...errors import UserError
from .gpu import Settings, signature_problem, window_before
from .kernel import Kernel, Masking
from .widths import AnyWidths

# Used parameters of the operators: since 2.11, the first with a scale and windows. Some versions also check for grouped
# query heads.
FORWARD = (
    "query", "key", "value", "cu_seq_q", "cu_seq_k", "max_q", "max_k", "is_causal", "scale",
    "window_size",
)  # fmt: skip
BACKWARD = (
    "grad_out", "query", "key", "value", "out", "lse", "cu_seq_q", "cu_seq_k", "max_q", "max_k",
    "is_causal", "rng_state", "scale", "window_size",
)  # fmt: skip


def make(device: torch.device) -> Kernel | str:
    """The kernel, or why there is none."""
    try:
        from torch.nn.attention import varlen as module
    except ImportError:
        return f"needs torch 2.11 or later (this is {torch.__version__})"
    forward: Any = getattr(module, "_varlen_attn", None)
    backward: Any = getattr(module, "_varlen_attn_backward", None)
    problem = signature_problem(forward, FORWARD) or signature_problem(backward, BACKWARD)
    if problem is not None:
        return f"needs torch 2.11 or later: {problem}"
    grouped = signature_problem(forward, ("enable_gqa",)) is None
    return AnyWidths(VarlenKernel(forward, backward, grouped))


class VarlenKernel:
    """Its backward, like FlashAttention-2's, holds gradients of keys and values for every query head."""

    name = "varlen"

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any], grouped: bool):
        self._forward, self._backward = forward, backward
        self._grouped: Settings = {"enable_gqa": True} if grouped else {}

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See :class:`.kernel.Kernel`. Raises UserError where a layer asks for what this kernel does not support."""
        if mask.softcap:
            raise UserError("attention = varlen has no softcap; install flash-attn")
        output, sums, state = self._forward(
            q, k, v, **self._settings(segments, mask), **self._grouped
        )
        return output, [sums, state]

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
        output, (sums, state) = made
        found = self._backward(
            gradient, *inputs, output, sums, rng_state=state, **self._settings(segments, mask)
        )
        for target, own in zip(into, found, strict=True):
            target.copy_(own)

    @staticmethod
    def _settings(segments: Segments, mask: Masking) -> Settings:
        return {
            "cu_seq_q": segments.query_offsets,
            "cu_seq_k": segments.key_offsets,
            "max_q": segments.longest_query,
            "max_k": segments.longest_key,
            "is_causal": mask.window is None,
            "scale": mask.scaling,
            "window_size": [window_before(mask), 0],
        }
