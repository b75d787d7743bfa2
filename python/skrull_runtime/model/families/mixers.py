"""Layers that mix the tokens of a sequence without attention: state space models, gated delta rules, short convolutions.

Their recurrence and their convolution would run on from one packed sequence into the next. On a GPU, those that transformers
can tell where sequences begin are told (``cu_seqlens`` of flash-linear-attention, ``seq_idx`` of causal-conv1d); all others
are called once for every sequence of a rank. A sequence must therefore lie on one rank in whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from ...batches.layout import Layout
from ...errors import UserError

OFFSETS = "cu_seq_lens_q"  # what a forward of transformers hands to kernels as their cu_seqlens
# Modules that the kernels come from, as pip names them. Without them transformers has a slow way that cannot keep packed
# sequences apart.
KERNELS = {"fla": "flash-linear-attention", "causal_conv1d": "causal-conv1d"}


class OwnSequences:
    """The mixers of a model, which keep the sequences of a micro-batch apart from now on."""

    def __init__(self, model: nn.Module, on_gpu: bool):
        """Raises UserError where a mixer that takes packed sequences lacks its kernels."""
        self._sizes: list[int] = []
        self._packing: dict[str, torch.Tensor] = {}
        self.found = [own for own in model.modules() if is_mixer(own)]
        for module in self.found:
            packed = on_gpu and takes_packed(module)
            if packed:
                _require_kernels(type(module).__name__)
            forward = module.forward
            module.forward = _Packed(forward, self) if packed else _BySequence(forward, self)

    def begin(self, layout: Layout) -> None:
        """Begins a micro-batch of this layout. Raises UserError where ranks share a sequence of it."""
        if self.found and layout.groups:
            kind = type(self.found[0]).__name__
            raise UserError(
                f"layers of the model ({kind}) need whole sequences, and these are shared by ranks;"
                " compile with parallel { context = 1 }"
            )
        self._sizes = list(layout.local)
        self._packing = {}

    @property
    def sizes(self) -> list[int]:
        """Tokens of this rank's sequences, in order."""
        return self._sizes

    def packing(self, device: torch.device) -> dict[str, torch.Tensor]:
        """Where sequences begin and where the last one ends ``[S + 1]``, and the sequence of every token ``[1, T]``; int32."""
        if not self._packing:
            sizes = torch.tensor(self._sizes, dtype=torch.int32)
            offsets = nn.functional.pad(sizes.cumsum(0, dtype=torch.int32), (1, 0))
            numbers = torch.arange(len(sizes), dtype=torch.int32).repeat_interleave(sizes)
            self._packing = {
                OFFSETS: offsets.to(device),
                "seq_idx": numbers.unsqueeze(0).to(device),
            }
        return self._packing


def is_mixer(module: nn.Module) -> bool:
    """Whether a module mixes tokens other than by attention: it holds a convolution over them, or is of a known kind."""
    convolves = any(
        isinstance(own, nn.Conv1d) and max(own.kernel_size) > 1 for own in module.children()
    )
    return convolves or "LightningAttention" in type(module).__name__


def takes_packed(module: nn.Module) -> bool:
    """Whether the forward of a mixer hands offsets of packed sequences on to its kernels."""
    return OFFSETS in inspect.getsource(type(module).forward)


def _require_kernels(kind: str) -> None:
    lacking = [package for name, package in KERNELS.items() if find_spec(name) is None]
    if lacking:
        raise UserError(
            f"layers of the model ({kind}) keep packed sequences apart by kernels that are not installed:"
            f" pip install {' '.join(lacking)}"
        )


class _Packed:
    """The forward of a mixer, told where sequences begin."""

    def __init__(self, forward: Callable[..., Any], sequences: OwnSequences):
        self._forward, self._sequences = forward, sequences

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """As the mixer's own."""
        if len(self._sequences.sizes) == 1:
            return self._forward(*arguments, **named)
        tensors = (own for own in (*arguments, *named.values()) if isinstance(own, torch.Tensor))
        return self._forward(*arguments, **named, **self._sequences.packing(next(tensors).device))


class _BySequence:
    """The forward of a mixer, sequence by sequence."""

    def __init__(self, forward: Callable[..., Any], sequences: OwnSequences):
        self._forward, self._sequences = forward, sequences

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Tensors ``[1, T, ...]`` among the arguments are split, and those of the results joined."""
        sizes = self._sequences.sizes
        if len(sizes) == 1:
            return self._forward(*arguments, **named)
        parts = [
            self._forward(
                *(_part(own, sizes, at) for own in arguments),
                **{name: _part(own, sizes, at) for name, own in named.items()},
            )
            for at in range(len(sizes))
        ]
        return _joined(parts, sizes)


def _part(value: Any, sizes: list[int], at: int) -> Any:
    """What one sequence has of an argument."""
    if isinstance(value, tuple):
        return tuple(_part(own, sizes, at) for own in value)
    if not isinstance(value, torch.Tensor) or value.ndim < 2 or value.shape[1] != sum(sizes):
        return value
    first = sum(sizes[:at])
    return value[:, first : first + sizes[at]]


def _joined(parts: list[Any], sizes: list[int]) -> Any:
    """The results of all sequences as one; what is no tensor of tokens is the last one's."""
    if isinstance(parts[0], tuple):
        return tuple(_joined(list(own), sizes) for own in zip(*parts, strict=True))
    of_tokens = all(
        isinstance(own, torch.Tensor) and own.ndim > 1 and own.shape[1] == size
        for own, size in zip(parts, sizes, strict=True)
    )
    return torch.cat(parts, 1) if of_tokens else parts[-1]
