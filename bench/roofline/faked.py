"""A micro-batch on tensors without values."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol

import torch

from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.segments import with_indices


class Mode(Protocol):
    """As of ``FakeTensorMode``: tensors that are made meanwhile have no values."""

    def __enter__(self) -> Any: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> Any: ...

    def from_tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        """The same without values."""
        ...


class Meta(Mode):
    """Tensors are of the device ``meta``: several times as fast as fakes, where nobody asks for a device or a value."""

    def __init__(self) -> None:
        self._entered: list[torch.device] = []

    def __enter__(self) -> Meta:
        self._entered.append(torch.device("meta"))
        self._entered[-1].__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered.pop().__exit__(kind, error, trace)

    def from_tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        """See :class:`Mode`."""
        return torch.empty_like(tensor, device="meta")


def faked(micro_batch: MicroBatch, fake: Mode) -> MicroBatch:
    """The same, as views of one buffer, which is how it is on a device."""
    buffer = fake.from_tensor(micro_batch.buffer)
    plan = with_indices(
        micro_batch.plan, lambda index: buffer[index.storage_offset() :][: index.numel()]
    )
    return replace(micro_batch, buffer=buffer, plan=plan)
