"""Bytes that live tensors hold, by what they are for, and the most that there were at a time."""

from __future__ import annotations

import weakref
from collections import Counter

import torch

TRANSIENT, KEPT = "transient", "kept for the backward"
WEIGHTS, GRADIENTS, WORKSPACE = "weights", "gradients", "kernel's workspace"
STATES = (WEIGHTS, GRADIENTS)  # which ZeRO may cut up


class Ledger:
    """Storages are entered when an operation has made them, and leave with their last tensor."""

    def __init__(self) -> None:
        self._live: dict[int, tuple[weakref.ref, int, str]] = {}
        self._held: Counter[str] = Counter()
        self.peak = 0  # of what is no state
        self.at_peak: dict[str, int] = {}

    def enter(self, tensor: torch.Tensor, kind: str = TRANSIENT) -> None:
        """A tensor whose storage may be new."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key in self._live:
            return
        size = storage.nbytes()

        def leave(_: weakref.ref) -> None:
            _, _, last = self._live.pop(key)
            self._held[last] -= size

        self._live[key] = weakref.ref(storage, leave), size, kind
        self._held[kind] += size
        self._look()

    def is_for(self, tensor: torch.Tensor, kind: str) -> None:
        """A tensor turns out to be for that; a state remains one."""
        key = tensor.untyped_storage()._cdata
        if key not in self._live:
            self.enter(tensor, kind)
            return
        reference, size, before = self._live[key]
        if before in STATES:
            return
        self._live[key] = reference, size, kind
        self._held[before] -= size
        self._held[kind] += size
        self._look()

    def _look(self) -> None:
        held = self._held.total() - sum(self._held[kind] for kind in STATES)
        if held > self.peak:
            self.peak, self.at_peak = held, {kind: own for kind, own in self._held.items() if own}

    def forget_peak(self) -> None:
        """From now on."""
        self.peak, self.at_peak = 0, {}
        self._look()
