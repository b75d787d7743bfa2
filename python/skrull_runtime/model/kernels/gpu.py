"""What the GPU kernels have in common."""

from __future__ import annotations

import inspect
from typing import Any

from ...batches.segments import Segments
from .kernel import Masking

Settings = dict[str, Any]  # keyword arguments of a library's function


def signature_problem(function: Any, used: tuple[str, ...]) -> str | None:
    """Which of the used parameters a library's function lacks; None where it has all."""
    if function is None:
        return "it has no such function"
    # torch's custom operators keep a reference to the function that they were made from.
    plain = getattr(function, "_init_fn", function)
    try:
        known = inspect.signature(plain).parameters
    except (TypeError, ValueError):
        return "its parameters cannot be told"
    missing = [name for name in used if name not in known]
    return f"it has no {', '.join(missing)}" if missing else None


def window_before(mask: Masking) -> int:
    """How many keys before its own a query sees; -1 for all."""
    return -1 if mask.window is None else mask.window - 1


def flash_settings(segments: Segments, mask: Masking) -> Settings:
    """The settings that FlashAttention-2 and -3 share, forward and backward."""
    return {
        "cu_seqlens_q": segments.query_offsets,
        "cu_seqlens_k": segments.key_offsets,
        "max_seqlen_q": segments.longest_query,
        "max_seqlen_k": segments.longest_key,
        "softmax_scale": mask.scaling,
        "window_size_left": window_before(mask),
        "window_size_right": 0,
        "softcap": mask.softcap,
    }
