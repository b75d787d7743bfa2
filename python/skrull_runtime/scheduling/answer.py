"""The contract's answer to a scheduling problem: which ranks work on which sequence in which micro-batch."""

from __future__ import annotations

from typing import TypedDict


class PlacementEntry(TypedDict):
    """A sequence on the ranks ``first_rank .. first_rank + degree - 1``; degree 1 is local."""

    sequence: int
    first_rank: int
    degree: int


class MicroBatchEntry(TypedDict):
    """The placements of one micro-batch."""

    index: int
    placements: list[PlacementEntry]


class MicroBatches(TypedDict):
    """The part of a schedule that says what each rank runs."""

    micro_batches: list[MicroBatchEntry]


class Schedule(MicroBatches, total=False):
    """A schedule as training takes it, online or replayed."""

    iteration_time: float  # us, predicted; absent from steps that are designed to be measured


class Answer(Schedule):
    """A schedule with the settings that it was made under."""

    format_version: int
    policy: str
    degrees: str
    objective: str
