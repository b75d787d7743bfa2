"""The gated delta rule with upstream's signature, by transformers' own arithmetic, one sequence at a time."""

from __future__ import annotations

import inspect
from itertools import pairwise

import torch

CALLS: list[list[int]] = []


def chunk_gated_delta_rule(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    g: torch.Tensor,
    beta: torch.Tensor,
    scale: float | None = None,
    initial_state: torch.Tensor | None = None,
    output_final_state: bool = False,
    use_qk_l2norm_in_kernel: bool = False,
    cu_seqlens: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """q and k ``[1, T, H, K]``, v ``[1, T, HV, V]``, g and beta ``[1, T, HV]``, cu_seqlens ``[S + 1]``."""
    # Not at the top: that module looks for this one when it is imported.
    from transformers.models.qwen3_next import modeling_qwen3_next as modeling

    assert scale is None and initial_state is None and not output_final_state
    plain = inspect.unwrap(modeling.torch_chunk_gated_delta_rule)
    bounds = [0, q.shape[1]] if cu_seqlens is None else cu_seqlens.tolist()
    assert bounds[0] == 0 and bounds[-1] == q.shape[1]
    CALLS.append(bounds)
    parts = [
        plain(
            *(own[:, first:last] for own in (q, k, v)),
            g=g[:, first:last],
            beta=beta[:, first:last],
            use_qk_l2norm_in_kernel=use_qk_l2norm_in_kernel,
        )[0]
        for first, last in pairwise(bounds)
    ]
    return torch.cat(parts, 1), None


def fused_recurrent_gated_delta_rule(*_: object, **__: object) -> None:
    """Of generation, which no run does."""
    raise AssertionError("called")
