"""Attention as a rank of a micro-batch has it: its queries, their keys, and where both lie in whole sequences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from skrull_runtime.batches.layout import Layout, ShardGroup, zigzag_positions
from skrull_runtime.batches.segments import Segments, attention_plan


@dataclass(frozen=True)
class Case:
    """Sequences that a rank holds whole (degree 1), or its part of them as the middle member of a group."""

    name: str
    lengths: tuple[int, ...]  # tokens of the sequences, before padding to shards
    degree: int = 1
    window: int | None = None

    @property
    def member(self) -> int:
        """The rank's place in its group."""
        return self.degree // 2

    @property
    def chunks(self) -> tuple[int, ...]:
        """Tokens of a chunk, of which every member has two; of whole sequences, all tokens."""
        if self.degree == 1:
            return self.lengths
        return tuple(-(-length // (2 * self.degree)) for length in self.lengths)

    @property
    def whole(self) -> tuple[int, ...]:
        """Tokens of the sequences with their padding."""
        parts = 1 if self.degree == 1 else 2 * self.degree
        return tuple(parts * chunk for chunk in self.chunks)

    def layout(self) -> Layout:
        """As the runtime has it."""
        indices = tuple(range(len(self.lengths)))
        if self.degree == 1:
            return Layout(0, self.lengths, indices, ())
        return Layout(self.member, (), (), (ShardGroup(0, self.degree, indices, self.chunks),))

    def segments(self, device: torch.device) -> Segments:
        """As the runtime makes them of its layout."""
        windows = () if self.window is None else (self.window,)

        def take(values: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(values.astype(np.int32)).to(device)

        plan = attention_plan(self.layout(), windows, take)
        if plan.local is not None:
            return plan.local
        return plan.groups[0].traffic(self.window).segments

    def query_ranges(self) -> list[range]:
        """Rows of the concatenated whole sequences that are each segment's queries."""
        ranges = []
        first = 0
        for length, chunk in zip(self.whole, self.chunks, strict=True):
            own = [range(length)]
            if self.degree > 1:
                own = list(zigzag_positions(chunk, self.degree, self.member))
            ranges += [range(first + each.start, first + each.stop) for each in own]
            first += length
        return ranges

    def pairs(self) -> int:
        """Products of a query with a key that it sees, of one head."""
        total, first = 0, 0
        ranges = iter(self.query_ranges())
        for length in self.whole:
            for _ in range(1 if self.degree == 1 else 2):
                own = next(ranges)
                total += _seen(own.start - first, own.stop - first, self.window)
            first += length
        return total


def _seen(start: int, stop: int, window: int | None) -> int:
    """Keys that queries at such positions see, together."""
    seen = np.arange(start + 1, stop + 1, dtype=np.int64)
    return int((seen if window is None else np.minimum(seen, window)).sum())


def query_rows(case: Case, device: torch.device) -> torch.Tensor:
    """Of the rank's queries, in order: their rows in the concatenated whole sequences, int64 ``[T]``."""
    return _rows(case.query_ranges(), device)


def key_rows(case: Case, segments: Segments, device: torch.device) -> torch.Tensor:
    """Likewise of the keys of all segments ``[K]``: a segment's end where its queries do."""
    ends = [own.stop for own in case.query_ranges()]
    ranges = [range(end - keys, end) for end, keys in zip(ends, segments.keys, strict=True)]
    return _rows(ranges, device)


def _rows(ranges: list[range], device: torch.device) -> torch.Tensor:
    parts = [np.arange(own.start, own.stop) for own in ranges]
    return torch.from_numpy(np.concatenate(parts)).to(device)
