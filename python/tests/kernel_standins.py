"""Stand-ins for the attention kernels of GPUs, with the signatures of their libraries, which compute on a CPU by definition.

Signatures: FlashAttention-2 and -3 as of Dao-AILab/flash-attention 0251105a (``flash_attn/flash_attn_interface.py``,
``hopper/flash_attn_interface.py``); torch's varlen operators are those of the torch that is installed. What the real
functions refuse or leave unwritten, these do as well.
"""

from __future__ import annotations

from types import ModuleType

import torch


def _attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    offsets: tuple[torch.Tensor, torch.Tensor],
    scale: float,
    window: tuple[int, int],
    softcap: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Output ``[T, H, D_v]`` and log-sum-exp ``[H, T]``, segment by segment."""
    outputs, sums = [], []
    for n in range(len(offsets[0]) - 1):
        rows, keys = (slice(own[n], own[n + 1]) for own in offsets)
        products = _products(q[rows], k[keys], scale, window, softcap)
        own_v = v[keys].repeat_interleave(q.shape[1] // v.shape[1], dim=1)
        sums.append(products.logsumexp(-1))
        outputs.append(torch.einsum("hqk,khd->qhd", products.softmax(-1), own_v))
    return torch.cat(outputs), torch.cat(sums, dim=1)


def _products(q, k, scale: float, window: tuple[int, int], softcap: float) -> torch.Tensor:
    """Of a segment ``[H, queries, keys]``, aligned to the lower right; minus infinity where a query does not see a key."""
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)
    products = torch.einsum("qhd,khd->hqk", q, k) * scale
    if softcap > 0:
        products = softcap * torch.tanh(products / softcap)
    ahead = torch.arange(len(k)) - torch.arange(len(q)).unsqueeze(1) - (len(k) - len(q))
    left, right = window
    hidden = (ahead > right) if right >= 0 else torch.zeros_like(ahead, dtype=torch.bool)
    if left >= 0:
        hidden |= ahead < -left
    return products.masked_fill(hidden, -torch.inf)


def _check(q, k, v, offsets, longest, pairs: bool = False) -> None:
    """What the kernels ask of their arguments; ``pairs``: values may have another width than keys, as FlashAttention-3 says."""
    widths = q.shape[-1], v.shape[-1]
    latent = 128 < widths[0] <= 192 and 96 < widths[1] <= 128
    assert widths[0] == widths[1] or (pairs and latent)
    for tensor in (q, k, v):
        assert tensor.stride(-1) == 1 and tensor.shape[-1] % 8 == 0
    for tensor, own, most, rows in zip(offsets[:2], longest, offsets[:2], (q, k), strict=False):
        assert tensor.dtype == torch.int32 and tensor.is_contiguous()
        assert most[-1] == len(rows) and own == int(tensor.diff().max())


def _differentiate(gradient, q, k, v, out, lse, offsets, scale, window, softcap):
    """From ``out`` and ``lse`` as given, like the kernels: of anything else a forward made they know nothing."""
    found = [torch.zeros_like(each) for each in (q, k, v)]
    for n in range(len(offsets[0]) - 1):
        rows, keys = (slice(own[n], own[n + 1]) for own in offsets)
        with torch.enable_grad():
            leaves = [each.detach().requires_grad_() for each in (q[rows], k[keys])]
            products = _products(*leaves, scale, window, softcap)
        shares = torch.exp(products.detach() - lse[:, rows].unsqueeze(2))
        own_v = v[keys].repeat_interleave(q.shape[1] // v.shape[1], dim=1)
        sums = torch.einsum("qhd,qhd->hq", gradient[rows], out[rows]).unsqueeze(2)
        of_products = shares * (torch.einsum("qhd,khd->hqk", gradient[rows], own_v) - sums)
        found[0][rows], found[1][keys] = torch.autograd.grad(products, leaves, of_products)
        of_v = torch.einsum("hqk,qhd->khd", shares, gradient[rows])
        found[2][keys] = of_v.unflatten(1, (v.shape[1], -1)).sum(2)
    return found


def _write(into, found) -> None:
    for target, own in zip(into, found, strict=True):
        assert target.stride(-1) == 1
        target.copy_(own)


def flash2() -> ModuleType:
    """``flash_attn.flash_attn_interface``."""

    def _flash_attn_varlen_forward(
        q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p, softmax_scale,
        causal, window_size_left=-1, window_size_right=-1, softcap=0.0, alibi_slopes=None,
        return_softmax=False, block_table=None, leftpad_k=None, seqused_k=None, zero_tensors=False,
        num_splits=0,
    ):  # fmt: skip
        assert dropout_p == 0 and isinstance(softmax_scale, float)
        offsets = cu_seqlens_q, cu_seqlens_k
        _check(q, k, v, offsets, (max_seqlen_q, max_seqlen_k))
        assert causal  # said, and not only implied by the window
        window = window_size_left, window_size_right
        out, lse = _attend(q, k, v, offsets, softmax_scale, window, softcap)
        return out, lse, q.new_empty(0), torch.zeros(2, dtype=torch.int64)

    def _flash_attn_varlen_backward(
        dout, q, k, v, out, softmax_lse, dq, dk, dv, cu_seqlens_q, cu_seqlens_k, max_seqlen_q,
        max_seqlen_k, dropout_p, softmax_scale, causal, window_size_left, window_size_right,
        softcap, alibi_slopes, deterministic, rng_state=None, zero_tensors=False,
    ):  # fmt: skip
        assert dropout_p == 0 and alibi_slopes is None and isinstance(deterministic, bool)
        offsets = cu_seqlens_q, cu_seqlens_k
        _check(q, k, v, offsets, (max_seqlen_q, max_seqlen_k))
        assert causal  # said, and not only implied by the window
        window = window_size_left, window_size_right
        found = _differentiate(
            dout, q, k, v, out, softmax_lse, offsets, softmax_scale, window, softcap
        )
        _write((dq, dk, dv), found)
        return softmax_lse

    return _module(
        "flash_attn.flash_attn_interface", _flash_attn_varlen_forward, _flash_attn_varlen_backward
    )


def flash3() -> ModuleType:
    """``flash_attn_interface``."""

    def _flash_attn_forward(
        q, k, v, k_new=None, v_new=None, qv=None, out_=None, cu_seqlens_q=None, cu_seqlens_k=None,
        cu_seqlens_k_new=None, seqused_q=None, seqused_k=None, max_seqlen_q=None, max_seqlen_k=None,
        page_table=None, kv_batch_idx=None, leftpad_k=None, rotary_cos=None, rotary_sin=None,
        seqlens_rotary=None, q_descale=None, k_descale=None, v_descale=None, softmax_scale=None,
        causal=False, window_size_left=-1, window_size_right=-1, attention_chunk=0, softcap=0.0,
        rotary_interleaved=True, scheduler_metadata=None, num_splits=1, pack_gqa=None, sm_margin=0,
    ):  # fmt: skip
        offsets = cu_seqlens_q, cu_seqlens_k
        _check(q, k, v, offsets, (max_seqlen_q, max_seqlen_k), pairs=True)
        assert causal  # said, and not only implied by the window
        window = window_size_left, window_size_right
        out, lse = _attend(q, k, v, offsets, softmax_scale, window, softcap)
        return out, lse, None, None

    def _flash_attn_backward(
        dout, q, k, v, out, softmax_lse, cu_seqlens_q=None, cu_seqlens_k=None, sequed_q=None,
        sequed_k=None, max_seqlen_q=None, max_seqlen_k=None, dq=None, dk=None, dv=None,
        softmax_scale=None, is_causal=False, window_size_left=-1, window_size_right=-1, softcap=0.0,
        deterministic=False, sm_margin=0,
    ):  # fmt: skip
        offsets = cu_seqlens_q, cu_seqlens_k
        _check(q, k, v, offsets, (max_seqlen_q, max_seqlen_k), pairs=True)
        assert is_causal
        window = window_size_left, window_size_right
        found = _differentiate(
            dout, q, k, v, out, softmax_lse, offsets, softmax_scale, window, softcap
        )
        _write((dq, dk, dv), found)
        return softmax_lse

    return _module("flash_attn_interface", _flash_attn_forward, _flash_attn_backward)


def varlen() -> ModuleType:
    """``torch.nn.attention.varlen``, of torch 2.12 and 2.13."""

    def _varlen_attn(
        query, key, value, cu_seq_q, cu_seq_k, max_q, max_k, is_causal=False, scale=None,
        window_size=None, enable_gqa=False, seqused_k=None, block_table=None, num_splits=None,
    ):  # fmt: skip
        assert enable_gqa or query.shape[1] == key.shape[1]
        _check(query, key, value, (cu_seq_q, cu_seq_k), (max_q, max_k))
        window = _window(is_causal, window_size)
        out, lse = _attend(query, key, value, (cu_seq_q, cu_seq_k), scale, window, 0.0)
        return out, lse, torch.zeros(2, dtype=torch.int64)

    def _varlen_attn_backward(
        grad_out, query, key, value, out, lse, cu_seq_q, cu_seq_k, max_q, max_k, is_causal,
        rng_state, scale=None, window_size=None,
    ):  # fmt: skip
        assert rng_state.shape == (2,)
        _check(query, key, value, (cu_seq_q, cu_seq_k), (max_q, max_k))
        window, offsets = _window(is_causal, window_size), (cu_seq_q, cu_seq_k)
        return _differentiate(grad_out, query, key, value, out, lse, offsets, scale, window, 0.0)

    return _module("torch.nn.attention.varlen", _varlen_attn, _varlen_attn_backward)


def _window(is_causal: bool, window: list[int]) -> tuple[int, int]:
    left, right = window
    assert is_causal == ((left, right) == (-1, 0))  # as torch's own function passes it
    return left, right


def _module(name: str, *functions) -> ModuleType:
    module = ModuleType(name)
    for function in functions:
        setattr(module, function.__name__, function)
    return module
