"""Rotary embeddings whose frequencies depend on a length (``longrope``, ``dynamic``): on that of each token's own sequence.

transformers takes the longest position of a batch. Of a packed rank that is the longest sequence that happens to be there, so
the same sequence would be rotated differently from step to step, and ranks that share one would disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from ...batches.layout import Layout, own_lengths

Rotation = tuple[torch.Tensor, torch.Tensor]  # cosines and sines [1, T, D]


class OwnLengths:
    """The rotary embeddings of a model, which take the length of every token's own sequence from now on."""

    def __init__(self, model: nn.Module):
        self._held: list[tuple[int, int]] = []
        self._found = [own for own in model.modules() if _depends(own)]
        for module in self._found:
            module.forward = _ByLength(module, module.forward, self)

    def begin(self, layout: Layout) -> None:
        """Begins a micro-batch of this layout."""
        if self._found:
            self._held = own_lengths(layout)

    def of_tokens(self, device: torch.device) -> torch.Tensor:
        """The length ``[T]`` of every token's sequence."""
        lengths, counts = zip(*self._held, strict=True)
        whole = torch.tensor(lengths).repeat_interleave(torch.tensor(counts))
        return whole.to(device)


class _ByLength:
    """The forward of a rotary embedding, for all tokens together whose lengths give the same frequencies."""

    def __init__(self, module: nn.Module, forward: Callable[..., Rotation], lengths: OwnLengths):
        self._module, self._forward, self._lengths = module, forward, lengths

    def __call__(
        self, x: torch.Tensor, position_ids: torch.Tensor, layer_type: str | None = None
    ) -> Rotation:
        """x ``[1, T, hidden size]``, position_ids ``[1, T]``."""
        named = {} if layer_type is None else {"layer_type": layer_type}
        kind = _kind(self._module, layer_type)
        if not _is_of_length(kind):
            return self._forward(x, position_ids, **named)
        original = _original(self._module, kind, layer_type)
        lengths = self._lengths.of_tokens(position_ids.device)
        # Padding is not longer than its sequence.
        position_ids = torch.minimum(position_ids, lengths - 1)
        wanted = lengths.clamp(min=original)
        if kind == "longrope":
            wanted = wanted.clamp(max=original + 1)
        made: list[torch.Tensor] | None = None
        for length in wanted.unique().tolist():
            own = (wanted == length).nonzero().squeeze(1)
            # The last position of the sequence, which this rank may not hold, makes the length what it is.
            last = position_ids.new_full((1, 1), length - 1)
            _forget(self._module)
            parts = self._forward(x, torch.cat((position_ids[:, own], last), 1), **named)
            if made is None:
                made = [part.new_empty(1, len(wanted), part.shape[2]) for part in parts]
            for whole, part in zip(made, parts, strict=True):
                whole[:, own] = part[:, :-1]
        assert made is not None, "a rank has at least one token"
        return made[0], made[1]


def forget_lengths(model: nn.Module) -> None:
    """Makes a model's rotary embeddings what they were before they have seen a sequence."""
    for module in model.modules():
        if _depends(module):
            _forget(module)


def _forget(module: Any) -> None:
    """transformers itself keeps the frequencies of the longest sequence for shorter ones that follow."""
    for name in [own for own in vars(module) if own.endswith("max_seq_len_cached")]:
        prefix = name.removesuffix("max_seq_len_cached")
        original = getattr(module, f"{prefix}original_inv_freq", None)
        if original is not None:
            getattr(module, f"{prefix}inv_freq").data = original.clone()
            setattr(module, name, module.original_max_seq_len)


def _kind(module: Any, layer_type: str | None) -> str:
    kinds = module.rope_type
    return str(kinds if layer_type is None or isinstance(kinds, str) else kinds[layer_type])


def _is_of_length(kind: str) -> bool:
    return kind == "longrope" or "dynamic" in kind


def _depends(module: Any) -> bool:
    kinds = getattr(module, "rope_type", None)
    if isinstance(kinds, dict):
        return any(_is_of_length(str(own)) for own in kinds.values())
    return isinstance(kinds, str) and _is_of_length(kinds)


def _original(module: Any, kind: str, layer_type: str | None) -> int:
    """Positions up to which the frequencies are those that the model was first made with."""
    if kind != "longrope":
        return int(module.original_max_seq_len)
    stated = module.config.rope_parameters
    own = stated if layer_type is None else stated[layer_type]
    return int(own.get("original_max_position_embeddings", module.original_max_seq_len))
