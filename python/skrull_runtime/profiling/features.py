"""The cost model as a sum: how much of each of its terms a schedule contains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

from ..config import SchedulingConfig
from ..scheduling import PlacementEntry, Schedule


@dataclass(frozen=True)
class Terms:
    """Times in us, all at least 0: the cost parameters of scheduling, with targets separate."""

    token: float  # of a token, without its targets
    target: float  # of a target of the loss
    square: float  # of a token squared, in attention
    shard: float  # of a token of a sequence on every rank of its group: slow small shards
    micro_batch: float
    step: float

    def vector(self) -> np.ndarray:
        """The terms in the order of the features ``[6]``."""
        return np.array(astuple(self))


COUNT = len(Terms.__dataclass_fields__)
MICRO_BATCH, STEP = COUNT - 2, COUNT - 1

# Time (us) of a group, given its degree and the tokens of its sharded sequences together, in one micro-batch.
Communication = Callable[[int, int], float]


@dataclass(frozen=True)
class Batch:
    """A global batch with its schedule: sequence k has ``lengths[k]`` tokens and ``targets[k]`` targets."""

    schedule: Schedule
    lengths: list[int]
    targets: list[int]


def features(
    batch: Batch, scheduling: SchedulingConfig, communication: Communication, terms: np.ndarray
) -> tuple[np.ndarray, float]:
    """How much of each term the step of a batch contains ``[6]``, and the communication (us) that nothing hides.

    The slowest rank decides, as in the scheduler's model: which one that is depends on ``terms`` ``[6]``, and so do the
    features.
    """
    pool = scheduling.degrees == "pool"
    size = scheduling.context_parallel * (scheduling.data_parallel if pool else 1)
    rows = 1 if pool else scheduling.data_parallel
    columns = [
        [
            _cell(entry["placements"], row * size, size, batch, communication, terms)
            for row in range(rows)
        ]
        for entry in batch.schedule["micro_batches"]
    ]
    total = np.zeros(COUNT + 1)
    if scheduling.objective == "lockstep":
        for cells in columns:
            total += max(cells, key=lambda cell: _time(cell, terms))
    else:
        per_row = [
            sum((cells[row] for cells in columns), np.zeros(COUNT + 1)) for row in range(rows)
        ]
        total += max(per_row, key=lambda row: _time(row, terms))
    total[STEP] += 1
    return total[:COUNT], float(total[COUNT])


def _time(cell: np.ndarray, terms: np.ndarray) -> float:
    return float(cell[:COUNT] @ terms + cell[COUNT])


def _cell(
    placements: list[PlacementEntry],
    first: int,
    size: int,
    batch: Batch,
    communication: Communication,
    terms: np.ndarray,
) -> np.ndarray:
    """Features of the slowest of the ranks ``first .. first + size - 1`` in a micro-batch, its communication last: ``[7]``."""
    own = [p for p in placements if first <= p["first_rank"] < first + size]
    if not own:
        return np.zeros(COUNT + 1)
    local, sharded = np.zeros((size, COUNT)), np.zeros((size, COUNT))
    groups: dict[tuple[int, int], int] = {}
    for placement in own:
        sequence, degree = placement["sequence"], placement["degree"]
        length = batch.lengths[sequence]
        work = np.zeros(COUNT)
        work[:3] = np.array([length, batch.targets[sequence], length**2]) / degree
        work[3] = length
        start = placement["first_rank"] - first
        (local if degree == 1 else sharded)[start : start + degree] += work
        if degree > 1:
            groups[degree, start] = groups.get((degree, start), 0) + length
    waiting = np.zeros(size)
    for (degree, start), tokens in groups.items():
        waiting[start : start + degree] += communication(degree, tokens)
    hidden = local @ terms >= waiting
    cells = np.zeros((size, COUNT + 1))
    cells[:, :COUNT] = sharded + np.where(hidden[:, None], local, 0.0)
    cells[:, COUNT] = np.where(hidden, 0.0, waiting)
    cells[:, MICRO_BATCH] += 1
    slowest: np.ndarray = cells[np.argmax(cells[:, :COUNT] @ terms + cells[:, COUNT])]
    return slowest
