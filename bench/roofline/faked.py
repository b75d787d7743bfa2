"""A micro-batch on fake tensors."""

from __future__ import annotations

from dataclasses import replace

from torch._subclasses.fake_tensor import FakeTensorMode

from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.segments import with_indices


def faked(micro_batch: MicroBatch, fake: FakeTensorMode) -> MicroBatch:
    """The same, as views of one buffer, which is how it is on a device."""
    buffer = fake.from_tensor(micro_batch.buffer)
    plan = with_indices(
        micro_batch.plan, lambda index: buffer[index.storage_offset() :][: index.numel()]
    )
    return replace(micro_batch, buffer=buffer, plan=plan)
