"""The baseline: the same model as Hugging Face has it, on as many tokens in one packed row that nobody shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from extended import Extended
from subject import Cell
from transformers import AttentionInterface

from skrull_runtime.batches.layout import Layout
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.data.tokens import IGNORED
from skrull_runtime.model.attention import NAME, AttentionContext
from skrull_runtime.model.kernels.kernel import Attend, Masking

PLAIN = "roofline-plain"


def plain_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    *,
    scaling: float,
    skrull: AttentionContext,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """A varlen kernel on the whole row. Shapes as in :func:`skrull_runtime.model.attention.skrull_attention`."""
    assert skrull.plan.local is not None
    q, k, v = (tensor.squeeze(0).transpose(0, 1) for tensor in (query, key, value))
    mask = Masking(scaling, sliding_window, softcap or 0.0)
    return Attend.apply(q, k, v, skrull.plan.local, skrull.kernel, mask).unsqueeze(0), None


def unshared(layout: Layout) -> tuple[int, ...]:
    """Lengths of a row's sequences: the rank's own, and its shards as if each were a whole one."""
    shards = tuple(2 * chunk for group in layout.groups for chunk in group.chunks)
    return (layout.local if layout.local_sequences or not shards else ()) + shards


def blank(layout: Layout, size: int, counted: int, windows: tuple[int, ...] = ()) -> MicroBatch:
    """A micro-batch of that many tokens and targets, evenly apart. Ids do not change what anything costs."""
    columns = np.zeros((4, size), np.int64)
    columns[1] = IGNORED
    columns[1, np.linspace(0, size - 1, counted, dtype=np.int64)] = 0
    return MicroBatch.of(columns, layout, windows)


def plain_cell(subject: Extended, like: MicroBatch) -> Cell:
    """The baseline's, for the tokens and targets of a rank's micro-batch."""
    return _run(subject, unshared(like.layout), like.counted_size)


def whole_seconds(subject: Extended, like: MicroBatch) -> float:
    """Of the device, for a rank's share of the same sequences where nobody cuts them: its local ones, and of each group's
    whole sequences on one GPU a ``degree``-th."""
    layout = like.layout
    share = like.counted_size / max(1, like.size)
    parts = [(1, layout.local if layout.local_sequences or not layout.groups else ())]
    for group in layout.groups:
        parts.append((group.degree, tuple(2 * chunk * group.degree for chunk in group.chunks)))
    cells = (
        (degree, _run(subject, lengths, max(1, round(share * sum(lengths)))))
        for degree, lengths in parts
        if lengths
    )
    return sum(tally.device_seconds / degree for degree, cell in cells for tally in cell.tallies)


def _run(subject: Extended, lengths: tuple[int, ...], counted: int) -> Cell:
    layout = Layout(0, lengths, tuple(range(len(lengths))), ())
    AttentionInterface.register(PLAIN, plain_attention)
    subject.forget_gradients()
    subject.use_attention(PLAIN)
    try:
        return subject.run_once(blank(layout, sum(lengths), counted), 0)
    finally:
        subject.use_attention(NAME)
