"""Makes the tensors of each micro-batch of a rank from a schedule and tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.tokens import IGNORED, Tokens
from ..scheduling import MicroBatches, Schedule
from ..scheduling.summary import ScheduleFigures
from .layout import Layout, layout_of, zigzag_positions
from .packed import MicroBatch


@dataclass(frozen=True)
class StepBatch:
    """Everything a rank needs for one optimizer step. Every rank has the same number of micro-batches."""

    step: int
    epoch: int
    micro_batches: list[MicroBatch]
    samples: list[int]  # of the global batch
    tokens: int  # of the global batch, padding not counted
    supervised: int  # targets of the global batch
    predicted_seconds: float
    degrees: list[int]  # sizes of the groups that its schedule uses, ascending
    schedule_digest: (
        str  # SHA-256 of the schedule; must be the same on all ranks, or they would hang
    )
    figures: ScheduleFigures
    scheduling_seconds: float = 0.0  # in the worker process, including reading and packing
    schedule: Schedule | None = None  # of all ranks; rank 0 has it, which looks at predictions

    def is_dummy(self, index: int) -> bool:
        """Whether this rank has no sequence in a micro-batch."""
        layout = self.micro_batches[index].layout
        return not layout.local_sequences and not layout.groups


def collate(
    schedule: MicroBatches,
    rank: int,
    lengths: list[int],
    tokens_of: Callable[[int], Tokens],
    windows: Sequence[int] = (),
) -> list[MicroBatch]:
    """The micro-batches of a rank. ``tokens_of(k)`` gives sequence k of the global batch; it is called only for the
    rank's own sequences. ``lengths`` are in tokens; ``windows`` are the windows of the model's layers that do not see
    all earlier tokens."""
    return [
        _micro_batch(layout_of(entry["placements"], rank, lengths), tokens_of, windows)
        for entry in schedule["micro_batches"]
    ]


def _micro_batch(
    layout: Layout, tokens_of: Callable[[int], Tokens], windows: Sequence[int]
) -> MicroBatch:
    size = sum(layout.local) + sum(group.tokens for group in layout.groups)
    columns = np.empty((4, size), np.int64)
    at = 0

    def add(tokens: Tokens, positions: range, sequence: int) -> None:
        nonlocal at
        first = positions.start
        real = min(max(len(tokens.ids) - first, 0), len(positions))
        here = columns[:, at : at + len(positions)]
        here[0, :real] = tokens.ids[first : first + real]
        here[1, :real] = tokens.labels[first : first + real]
        here[3, :real] = sequence
        here[2] = np.arange(first, positions.stop)
        if real < len(positions):
            # Padding sits after its sequence, where causal attention keeps it from every real token.
            here[[0, 1, 3], real:] = [[0], [IGNORED], [-1]]
        at += len(positions)

    for sequence, length in zip(layout.local_sequences, layout.local, strict=False):
        add(tokens_of(sequence), range(length), sequence)
    for group in layout.groups:
        for sequence, chunk in zip(group.sequences, group.chunks, strict=True):
            tokens = tokens_of(sequence)
            for positions in zigzag_positions(chunk, group.degree, layout.rank - group.first_rank):
                add(tokens, positions, sequence)
    if not layout.local_sequences and not layout.groups:
        add(Tokens([0], [IGNORED]), range(1), -1)  # the dummy token of a rank without sequences
    return MicroBatch.of(columns, layout, windows)
