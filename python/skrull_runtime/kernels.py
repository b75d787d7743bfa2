"""Causal attention of one packed segment after another, on what the machine offers.

Shapes: query ``[T, H, D]``, key and value ``[S, H_kv, D]``, H a multiple of H_kv. A segment's queries are the last
tokens of its keys (causal, aligned to the lower right).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn.functional import scaled_dot_product_attention

from .errors import UserError

# (query, key, value, query lengths, key lengths, scaling, window) -> output [T, H, D]
# window: tokens that a query sees, itself counted; None for all before it
Kernel = Callable[
    [torch.Tensor, torch.Tensor, torch.Tensor, list[int], list[int], float, "int | None"],
    torch.Tensor,
]

QUERY_BLOCK = 512  # rows of a mask: keeps it from growing with the square of the length


def choose_kernel(name: str, device: torch.device) -> Kernel:
    """The attention kernel of that name; "auto" takes the best there is.

    Raises UserError where the named one is not available. The CUDA kernels follow their documented interfaces and
    have not been run on a GPU yet.
    """
    if name == "sdpa" or (name == "auto" and device.type != "cuda"):
        return sdpa_kernel
    if device.type != "cuda":
        raise UserError(f"attention '{name}' needs a GPU; use attention = sdpa")
    makers = {"flash": [_flash_kernel], "varlen": [_varlen_kernel]}.get(
        name, [_flash_kernel, _varlen_kernel]
    )
    for make in makers:
        kernel = make()
        if kernel is not None:
            return kernel
    if name == "auto":
        return sdpa_kernel
    package = {"flash": "flash-attn", "varlen": "a torch with torch.nn.attention.varlen"}[name]
    raise UserError(f"attention '{name}' needs {package}; use attention = auto")


def sdpa_kernel(query, key, value, query_lengths, key_lengths, scaling, window):
    """PyTorch's SDPA, segment by segment. Queries are taken in blocks where they are not as long as their keys."""
    outputs = []
    at, seen = 0, 0
    for length, known in zip(query_lengths, key_lengths, strict=True):
        q = query[at : at + length].transpose(0, 1).unsqueeze(0)
        k = key[seen : seen + known].transpose(0, 1).unsqueeze(0)
        v = value[seen : seen + known].transpose(0, 1).unsqueeze(0)
        outputs.append(_causal(q, k, v, scaling, window).squeeze(0).transpose(0, 1))
        at, seen = at + length, seen + known
    return torch.cat(outputs)


def _causal(q, k, v, scaling, window):
    """Lower-right causal attention, within a window if there is one; q ``[1, H, L, D]``, k and v ``[1, H_kv, M, D]``, L <= M."""
    length, known = q.shape[2], k.shape[2]
    grouped = q.shape[1] != k.shape[1]
    if length == known and (window is None or known <= window):
        return scaled_dot_product_attention(
            q, k, v, is_causal=True, scale=scaling, enable_gqa=grouped
        )
    before = known - length
    outputs = []
    for start in range(0, length, QUERY_BLOCK):
        end = min(start + QUERY_BLOCK, length)
        first = 0 if window is None else max(0, before + start - window + 1)
        rows = torch.arange(before + start, before + end, device=q.device).unsqueeze(1)
        columns = torch.arange(first, before + end, device=q.device).unsqueeze(0)
        mask = columns <= rows
        if window is not None:
            mask &= columns > rows - window
        outputs.append(
            scaled_dot_product_attention(
                q[:, :, start:end],
                k[:, :, first : before + end],
                v[:, :, first : before + end],
                attn_mask=mask,
                scale=scaling,
                enable_gqa=grouped,
            )
        )
    return torch.cat(outputs, dim=2)


def _offsets(lengths: list[int], device: torch.device) -> torch.Tensor:
    return torch.tensor([0, *lengths], device=device).cumsum(0, dtype=torch.int32)


def _packed(attend: Callable[..., torch.Tensor]) -> Kernel:
    """A kernel from a function that takes packed segments by their offsets and longest lengths."""

    def kernel(query, key, value, query_lengths, key_lengths, scaling, window):
        offsets = _offsets(query_lengths, query.device), _offsets(key_lengths, query.device)
        longest = max(query_lengths), max(key_lengths)
        # A window that ends at the query itself is causal.
        before = -1 if window is None else window - 1
        return attend(query, key, value, *offsets, *longest, scaling, (before, 0))

    return kernel


def _flash_kernel() -> Kernel | None:
    try:
        from flash_attn import flash_attn_varlen_func
    except ImportError:
        return None
    return _packed(
        lambda *packed: flash_attn_varlen_func(
            *packed[:-2], softmax_scale=packed[-2], causal=True, window_size=packed[-1]
        )
    )


def _varlen_kernel() -> Kernel | None:
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    # Groups of query heads share their keys and values.
    return _packed(
        lambda *packed: varlen_attn(
            *packed[:-2], scale=packed[-2], window_size=packed[-1], enable_gqa=True
        )
    )
