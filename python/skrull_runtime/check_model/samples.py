"""The sequences that a check trains on, and the ways in which two ranks hold them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..batches.collate import collate
from ..batches.packed import MicroBatch
from ..data.tokens import IGNORED, Tokens
from ..scheduling import MicroBatches, PlacementEntry

RANKS = 2
LENGTHS = (7, 41, 18, 2, 33, 26)  # tokens: some longer than windows and scaled positions, some not
LONG = (1, 4)  # shared by both ranks where sequences are mixed
CHANGED = 2  # the sequence that is changed to see whether others notice


@dataclass(frozen=True)
class Placed:
    """One way to place the sequences on two ranks."""

    name: str
    degrees: tuple[int, ...]  # of each sequence

    def placements(self) -> list[PlacementEntry]:
        """As a schedule states them; local sequences take turns."""
        return [
            {"sequence": k, "degree": degree, "first_rank": k % RANKS if degree == 1 else 0}
            for k, degree in enumerate(self.degrees)
        ]


LOCAL = Placed("local", (1,) * len(LENGTHS))
SHARDED = Placed("sharded", (RANKS,) * len(LENGTHS))
MIXED = Placed("mixed", tuple(RANKS if k in LONG else 1 for k in range(len(LENGTHS))))


def drawn(vocabulary: int, changed: int | None = None) -> list[Tokens]:
    """Random tokens; some are no targets. ``changed``: a sequence that has other ones."""
    result = []
    for number, length in enumerate(LENGTHS):
        source = random.Random(f"{number} {number == changed}")
        ids = [source.randrange(vocabulary) for _ in range(length)]
        kept = random.Random(number)
        labels = [token if kept.random() < 0.8 else IGNORED for token in ids[1:]]
        result.append(Tokens(ids, [*labels, IGNORED]))
    return result


def micro_batch(data: list[Tokens], placed: Placed, rank: int, windows: set[int]) -> MicroBatch:
    """A rank's part of the sequences."""
    schedule: MicroBatches = {"micro_batches": [{"index": 0, "placements": placed.placements()}]}
    lengths = [len(own.ids) for own in data]
    (made,) = collate(schedule, rank, lengths, lambda k: data[k], sorted(windows))
    return made
