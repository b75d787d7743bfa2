"""A rank's part of a micro-batch in one buffer, so that tokens, targets and attention's indices reach the device in one
copy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..data.tokens import IGNORED
from .layout import Layout
from .segments import AttentionPlan, attention_plan, with_indices

ROWS = 4  # input ids, labels, positions, sequences


@dataclass(frozen=True)
class MicroBatch:
    """Packed tensors ``[1, T]`` of one rank, T its tokens in this micro-batch, as views of one int32 buffer."""

    buffer: torch.Tensor  # int32
    size: int  # T
    counted_size: int  # tokens that have a target; 1 if none has
    plan: AttentionPlan

    @classmethod
    def of(cls, columns: np.ndarray, layout: Layout, windows: Sequence[int] = ()) -> MicroBatch:
        """From input ids, labels, positions and sequences as rows ``[4, T]``, and the windows of the model's layers."""
        labels = columns[1]
        counted = np.flatnonzero(labels != IGNORED)
        if len(counted) == 0:
            # The backward must still reach every parameter, with a gradient of zero.
            counted = np.zeros(1, np.int64)
        parts: list[np.ndarray] = [columns.reshape(-1), counted, labels[counted]]
        at = sum(map(len, parts))

        def take(values: np.ndarray) -> Any:
            nonlocal at
            parts.append(values)
            at += len(values)
            return at - len(values), at

        plan = attention_plan(layout, windows, take)
        return cls._made(np.concatenate(parts), columns.shape[1], len(counted), plan)

    @classmethod
    def _made(
        cls, values: np.ndarray, size: int, counted_size: int, places: AttentionPlan
    ) -> MicroBatch:
        """``places``: a plan that holds, for every index, where in the buffer it begins and ends."""
        buffer = torch.from_numpy(values.astype(np.int32, copy=False))
        plan = with_indices(places, lambda place: buffer[slice(*place)])
        return cls(buffer, size, counted_size, plan)

    def __reduce__(
        self,
    ) -> tuple[Callable[..., MicroBatch], tuple[np.ndarray, int, int, AttentionPlan]]:
        """Pickles by value: shared memory would cost a file handle and a handshake per tensor."""
        return MicroBatch._made, (
            self.buffer.numpy(),
            self.size,
            self.counted_size,
            with_indices(self.plan, _place),
        )

    @property
    def layout(self) -> Layout:
        """How the tokens are made of sequences."""
        return self.plan.layout

    @property
    def fullest(self) -> int:
        """Tokens of the rank that has most in this micro-batch: the same on all ranks."""
        return max(self.layout.fullest, self.size)

    @property
    def input_ids(self) -> torch.Tensor:
        """``[1, T]``."""
        return self._row(0)

    @property
    def labels(self) -> torch.Tensor:
        """``[1, T]``, already shifted; -100 where the loss does not count."""
        return self._row(1)

    @property
    def position_ids(self) -> torch.Tensor:
        """``[1, T]``, within the original sequence."""
        return self._row(2)

    @property
    def sequence_ids(self) -> torch.Tensor:
        """``[1, T]``: index into the global batch of every token, -1 for padding."""
        return self._row(3)

    @property
    def counted(self) -> torch.Tensor:
        """``[C]``: positions of the tokens that have a target, ascending; the first one, ignored, if none has."""
        return self.buffer[ROWS * self.size :][: self.counted_size]

    @property
    def targets(self) -> torch.Tensor:
        """``[C]``: labels of the counted tokens."""
        return self.buffer[ROWS * self.size + self.counted_size :][: self.counted_size].long()

    def to(self, device: torch.device) -> MicroBatch:
        """The micro-batch on a device, in one copy that nobody waits for."""
        if device.type == "cpu":
            return self
        moved = self.buffer.pin_memory().to(device, non_blocking=True)
        plan = with_indices(self.plan, lambda index: moved[slice(*_place(index))])
        return MicroBatch(moved, self.size, self.counted_size, plan)

    def _row(self, number: int) -> torch.Tensor:
        return self.buffer[number * self.size :][: self.size].long().unsqueeze(0)


def _place(index: torch.Tensor) -> tuple[int, int]:
    """Where in its buffer an index begins and ends."""
    start = int(index.storage_offset())
    return start, start + index.numel()
