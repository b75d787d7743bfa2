"""The cost model as a sum: how much of each of its terms a schedule contains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass

import numpy as np

from ..config import SchedulingConfig
from ..scheduling import PlacementEntry, Schedule
from ..scheduling.forecast import cost_of


@dataclass(frozen=True)
class Terms:
    """Times in us, all at least 0: the cost parameters of scheduling, with targets separate."""

    token: float  # of a token, without its targets
    target: float  # of a target of the loss
    square: float  # of a token squared, in attention
    shard: float  # of a token of a sequence on every rank of its group: slow small shards
    least: float  # that a micro-batch takes in place of less work: the host starts its kernels
    micro_batch: float  # besides its work
    step: float

    def vector(self) -> np.ndarray:
        """The terms in the order of the features ``[7]``."""
        return np.array(astuple(self))


COUNT = len(Terms.__dataclass_fields__)
LEAST, MICRO_BATCH, STEP = COUNT - 3, COUNT - 2, COUNT - 1

# What people ask of a step's time, and the terms that it is made of; communication that nothing hides is one more part.
PARTS: dict[str, tuple[str, ...]] = {
    "tokens": ("token",),
    "head": ("target",),
    "attention": ("square", "shard"),
    "micro-batches": ("least", "micro_batch"),
    "step": ("step",),
}
COLLECTIVES = "collectives"
PART_NAMES = (*PARTS, COLLECTIVES)

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
    """How much of each term the step of a batch contains ``[7]``, and the communication (us) that nothing hides.

    The slowest rank decides, as in the scheduler's model: which one that is depends on ``terms`` ``[7]``, and so do the
    features. Where its work and communication take less than ``least``, it contains that in their place.
    """
    pool = scheduling.degrees == "pool"
    size = scheduling.context_parallel * (scheduling.data_parallel if pool else 1)
    rows = 1 if pool else scheduling.data_parallel
    lighter = Lighter(scheduling)
    columns = []
    for entry in batch.schedule["micro_batches"]:
        placements = entry["placements"]
        scale, communicates = lighter.of(placements, batch.lengths, communication)
        columns.append(
            [
                _cell(placements, row * size, size, batch, communicates, terms, scale)
                for row in range(rows)
            ]
        )
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


class Lighter:
    """How much less of each term there is in micro-batches that recompute less, by the run's own constants."""

    def __init__(self, scheduling: SchedulingConfig):
        forecast, cost = scheduling.forecast, scheduling.cost
        self._costs = forecast.get("lighter", []) if forecast else []
        self._comm = cost["comm"]
        self._scales = []
        for own in self._costs:
            assert forecast is not None
            targets = forecast["target_us"] * forecast["target_share"]
            scale = np.ones(COUNT)
            scale[0] = (own["a1"] - targets) / (cost["a1"] - targets)
            scale[2:4] = own["a2"] / cost["a2"] if cost["a2"] else 1.0
            self._scales.append(scale)

    def of(
        self, placements: list[PlacementEntry], lengths: list[int], communication: Communication
    ) -> tuple[np.ndarray, Communication]:
        """Factors of the terms ``[7]`` of a micro-batch, and its communication."""
        number = cost_of(placements, lengths, self._costs)
        if number is None:
            return np.ones(COUNT), communication
        own = self._costs[number]["comm"]

        def communicates(degree: int, tokens: int) -> float:
            before, now = self._comm[str(degree)][2], own[str(degree)][2]
            return communication(degree, tokens) * (now / before if before else 1.0)

        return self._scales[number], communicates


def part_times(
    batch: Batch, scheduling: SchedulingConfig, communication: Communication, terms: Terms
) -> np.ndarray:
    """What the step of a batch takes by part ``[len(PART_NAMES)]``, us; the parts add up to its time."""
    vector = terms.vector()
    own, waiting = features(batch, scheduling, communication, vector)
    spent = dict(zip(Terms.__dataclass_fields__, own * vector, strict=True))
    return np.array([*(sum(spent[n] for n in names) for names in PARTS.values()), waiting])


def _time(cell: np.ndarray, terms: np.ndarray) -> float:
    return float(cell[:COUNT] @ terms + cell[COUNT])


def _cell(
    placements: list[PlacementEntry],
    first: int,
    size: int,
    batch: Batch,
    communication: Communication,
    terms: np.ndarray,
    scale: np.ndarray,
) -> np.ndarray:
    """Features of the slowest of the ranks ``first .. first + size - 1`` in a micro-batch, its communication last: ``[8]``.
    ``scale``: factors of the terms ``[7]``."""
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
        (local if degree == 1 else sharded)[start : start + degree] += work * scale
        if degree > 1:
            groups[degree, start] = groups.get((degree, start), 0) + length
    waiting = np.zeros(size)
    for (degree, start), tokens in groups.items():
        waiting[start : start + degree] += communication(degree, tokens)
    hidden = local @ terms >= waiting
    cells = np.zeros((size, COUNT + 1))
    cells[:, :COUNT] = sharded + np.where(hidden[:, None], local, 0.0)
    cells[:, COUNT] = np.where(hidden, 0.0, waiting)
    slowest: np.ndarray = cells[np.argmax(cells[:, :COUNT] @ terms + cells[:, COUNT])]
    if _time(slowest, terms) < terms[LEAST]:
        slowest = np.zeros(COUNT + 1)
        slowest[LEAST] = 1
    slowest[MICRO_BATCH] += 1
    return slowest
