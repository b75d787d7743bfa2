"""FlashAttention-3, for Hopper (https://github.com/Dao-AILab/flash-attention, ``hopper/flash_attn_interface.py``), from its
own package or from the one that Hugging Face builds (``kernels``)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch

from ...batches.segments import Segments
from .gpu import flash_settings, signature_problem
from .kernel import Kernel, Masking
from .widths import AnyWidths, Widths, of_one_width

HUB = "kernels-community/flash-attn3"
HUB_VERSION = 1
LATENT = 192, 128  # widths of a key's head and of a value's, in DeepSeek's models
HOPPER = 9  # compute capability
# Since November 2025; before that, windows were tuples, and gradients were returned.
FORWARD = (
    "q", "k", "v", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q", "max_seqlen_k", "softmax_scale",
    "causal", "window_size_left", "window_size_right", "softcap",
)  # fmt: skip
BACKWARD = (
    "dout", "q", "k", "v", "out", "softmax_lse", "cu_seqlens_q", "cu_seqlens_k", "max_seqlen_q",
    "max_seqlen_k", "dq", "dk", "dv", "softmax_scale", "is_causal", "window_size_left",
    "window_size_right", "softcap", "deterministic",
)  # fmt: skip


def make(device: torch.device) -> Kernel | str:
    """The kernel, or why there is none."""
    major, minor = torch.cuda.get_device_capability(device)
    if major != HOPPER:
        return f"is for Hopper GPUs (compute capability 9.0, not {major}.{minor})"
    module = _module()
    if isinstance(module, str):
        return module
    forward: Any = getattr(module, "_flash_attn_forward", None)
    backward: Any = getattr(module, "_flash_attn_backward", None)
    problem = signature_problem(forward, FORWARD) or signature_problem(backward, BACKWARD)
    if problem is not None:
        return f"needs a FlashAttention-3 of November 2025 or later: {problem}"
    return AnyWidths(Flash3Kernel(forward, backward), needed)


def _module() -> Any:
    """The module with the functions, or text that says why there is none."""
    if find_spec("flash_attn_interface") is not None:
        import flash_attn_interface

        return flash_attn_interface
    if find_spec("kernels") is None:
        return f"needs FlashAttention-3, or the package kernels, which loads {HUB}"
    from kernels import get_kernel

    try:
        return get_kernel(HUB, version=HUB_VERSION).flash_attn_interface
    except (
        Exception
    ) as error:  # many kinds: the hub cannot be reached, or has no build for this torch
        said = (str(error).splitlines() or [type(error).__name__])[0]
        return f"cannot be loaded from {HUB} ({said})"


def needed(widths: Widths) -> Widths:
    """The pair of latent attention is the only one of different widths above 64 that its forward has; its backward fills up
    by itself (``hopper/flash_api.cpp``)."""
    of_key, of_value = widths
    return LATENT if 128 < of_key <= LATENT[0] and of_value <= LATENT[1] else of_one_width(widths)


class Flash3Kernel:
    """Its backward adds up gradients of keys and values in fp32, for every key-value head."""

    name = "flash3"

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]):
        self._forward, self._backward = forward, backward

    def forward(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, segments: Segments, mask: Masking
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """See :class:`.kernel.Kernel`."""
        settings = flash_settings(segments, mask)
        output, sums, *_ = self._forward(q, k, v, causal=True, **settings)
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
        of_q, of_k, of_v = into
        self._backward(
            gradient,
            *inputs,
            output,
            sums,
            dq=of_q,
            dk=of_k,
            dv=of_v,
            is_causal=True,
            deterministic=mask.deterministic,
            **flash_settings(segments, mask),
        )
