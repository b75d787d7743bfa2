"""The steps to time: optimizer steps whose micro-batches tell the terms of the cost model apart."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from ..batches.sampler import ScheduledBatchSampler, schedule_batch
from ..config import SchedulingConfig
from ..scheduling import PlacementEntry, class_degrees
from ..scheduling.answer import MicroBatchEntry
from .features import Batch

SMALLEST_SHARE = 1 / 64  # of the bucket, in the smallest micro-batches
SHORTEST = 16  # tokens
TARGET_SHARES = (0.05, 0.5, 0.95)
MICRO_BATCHES = (1, 2, 1, 4)  # so that the fixed cost of a micro-batch is told from that of a step


def training_batches(
    count: int, scheduling: SchedulingConfig, lengths: Sequence[int], targets: Sequence[int]
) -> list[Batch]:
    """The run's own first global batches, scheduled as in training."""
    batches = []
    for batch in ScheduledBatchSampler(lengths, scheduling, count):
        own = [lengths[sample] for sample in batch.samples]
        schedule = schedule_batch(batch, lengths, scheduling)
        batches.append(Batch(schedule, own, [targets[sample] for sample in batch.samples]))
    return batches


def designed_batches(
    count: int,
    scheduling: SchedulingConfig,
    lengths: Sequence[int],
    target_shares: Sequence[float] = TARGET_SHARES,
    seed: int = 0,
) -> list[Batch]:
    """Steps in which all ranks do the same: everything is local, or everything is sharded over groups of one degree.

    The tokens in a micro-batch are spread evenly on a logarithmic scale; its sequences have one length, or lengths of the
    data.
    """
    source = random.Random(seed)
    degrees = class_degrees(
        scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel
    )
    fills = [(n + source.random()) / count for n in range(count)]
    source.shuffle(fills)
    batches = []
    for n, fill in enumerate(fills):
        degree = degrees[n % len(degrees)]
        kind = n // len(degrees)
        step = _Step(scheduling, degree, target_shares[kind % len(target_shares)])
        room = max(SHORTEST, int(scheduling.bucket * SMALLEST_SHARE ** (1 - fill)))
        for _ in range(MICRO_BATCHES[kind % len(MICRO_BATCHES)]):
            step.add(_sequences(room, degree, kind % 2 == 0, lengths, source))
        batches.append(step.batch())
    return batches


def _sequences(
    room: int, degree: int, alike: bool, lengths: Sequence[int], source: random.Random
) -> list[int]:
    """Lengths of sequences whose shards on ``degree`` ranks fill ``room`` tokens of a rank."""
    longest = min(max(lengths), room * degree)
    shortest = min(SHORTEST * degree, longest)
    one = int(math.exp(source.uniform(math.log(shortest), math.log(longest))))
    chosen: list[int] = []
    left = room
    while True:
        length = one if alike else min(source.choice(lengths), longest)
        shard = _shard(length, degree)
        if shard > left:
            # If there is room for less than one padded shard, take one sequence that fits.
            return chosen or [max(1, degree * 2 * (room // 2)) if degree > 1 else room]
        chosen.append(length)
        left -= shard


def _shard(length: int, degree: int) -> int:
    return length if degree == 1 else 2 * -(-length // (2 * degree))


class _Step:
    """A step under construction: the same sequences on every rank, or on every group."""

    def __init__(self, scheduling: SchedulingConfig, degree: int, target_share: float):
        self.ranks = scheduling.data_parallel * scheduling.context_parallel
        self.degree, self.target_share = degree, target_share
        self.micro_batches: list[MicroBatchEntry] = []
        self.lengths: list[int] = []

    def add(self, lengths: list[int]) -> None:
        """One more micro-batch."""
        placements: list[PlacementEntry] = []
        for first in range(0, self.ranks, self.degree):
            for length in lengths:
                placements.append(
                    {
                        "sequence": len(self.lengths),
                        "first_rank": first,
                        "degree": self.degree,
                    }
                )
                self.lengths.append(length)
        self.micro_batches.append({"index": len(self.micro_batches), "placements": placements})

    def batch(self) -> Batch:
        """The step, with every sequence's targets."""
        targets = [max(1, round(self.target_share * (length - 1))) for length in self.lengths]
        return Batch({"micro_batches": self.micro_batches}, self.lengths, targets)
