"""FlexSP's planner, of our own reading (arXiv:2412.01523, ASPLOS '25; PKU-DAIR/Hetu-Galvatron), under the contract's cost.

A global batch in order of length is cut into M runs of nearly equal tokens, the micro-batches. In each, sequences go
to groups of power-of-two sizes that share no rank: a mixed-integer program over buckets of nearly equal lengths, which
minimises the time of the slowest group. Several M from the fewest that memory allows are tried. What differs: the
time of a group is the contract's; HiGHS solves instead of SCIP, each program for the stated time; the start that it is
given is the better of one group size for all, as there, and a greedy placement under a guessed time. Where a bucket's
sequences go to several groups, its longest goes to the least loaded one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from .costs import Costs
from .groups import (
    Bucket,
    Group,
    best_start,
    bucketed,
    equal_runs,
    placements,
    slowest,
    time_of,
)
from .program import Program

BUCKETS = 16
MORE_MICRO_BATCHES = 3


@dataclass(frozen=True)
class Plan:
    """Groups of one micro-batch, and whether no better ones exist in buckets."""

    groups: list[Group]
    proven: bool
    seconds: float


def plan_batch(costs: Costs, seconds: float) -> dict:
    """The schedule of a problem of class ``pool`` as micro-batches, with how long it was solved and how much is proven.

    Raises ValueError where a sequence fits no group.
    """
    order = sorted(range(len(costs.lengths)), key=lambda k: (-costs.lengths[k], k))
    fewest = max(1, ceil(sum(costs.lengths) / (costs.bucket * costs.ranks)))
    best: tuple[float, list[Plan]] | None = None
    spent, tried, count = 0.0, 0, fewest
    while tried < MORE_MICRO_BATCHES and count <= len(order):
        plans = [
            plan_micro_batch(run, costs, seconds) for run in equal_runs(order, costs.lengths, count)
        ]
        count += 1
        spent += sum(plan.seconds for plan in plans if plan is not None)
        found = [plan for plan in plans if plan is not None]
        if len(found) < len(plans):
            continue
        tried += 1
        total = sum(slowest(plan.groups, costs) + costs.fixed for plan in found)
        if best is None or total < best[0]:
            best = (total, found)
    if best is None:
        raise ValueError("no number of micro-batches has a plan")
    return {
        "micro_batches": [
            {"index": index, "placements": placements(plan.groups)}
            for index, plan in enumerate(best[1])
        ],
        "proven": sum(plan.proven for plan in best[1]),
        "seconds": spent,
    }


def plan_micro_batch(run: Sequence[int], costs: Costs, seconds: float) -> Plan | None:
    """Groups for one micro-batch; ``None`` where its sequences do not fit together."""
    buckets = bucketed(run, costs.lengths, BUCKETS)
    start = best_start(run, costs)
    model = _Model(buckets, costs)
    rounded_up = [
        Group(group.degree, [_bucket_of(k, buckets) for k in group.sequences])
        for group in start or []
    ]
    outcome = model.program.solve(
        seconds, model.start(rounded_up) if start and model.holds(rounded_up) else None, gap=1e-4
    )
    if outcome is None:
        return None if start is None else Plan(start, proven=False, seconds=seconds)
    found = model.groups(outcome.values)
    if start is not None and slowest(start, costs) < slowest(found, costs):
        found = start
    return Plan(found, outcome.gap() <= 1e-4, outcome.seconds)


def _bucket_of(sequence: int, buckets: Sequence[Bucket]) -> int:
    return next(n for n, bucket in enumerate(buckets) if sequence in bucket.sequences)


class _Model:
    """The paper's program: how many sequences of every bucket each possible group gets."""

    def __init__(self, buckets: Sequence[Bucket], costs: Costs):
        self.buckets, self.costs = buckets, costs
        self.degrees = [
            degree
            for degree in reversed(costs.degrees())
            for _ in range(min(costs.ranks // degree, sum(len(b.sequences) for b in buckets)))
        ]
        self.program = Program()
        self.time = self.program.variable(cost=1.0)
        self.used = [self.program.binary() for _ in self.degrees]
        self.counts = [
            [
                self.program.variable(
                    upper=len(bucket.sequences) if costs.fits(bucket.length, degree) else 0,
                    whole=True,
                )
                for bucket in buckets
            ]
            for degree in self.degrees
        ]
        self._rows()

    def _rows(self) -> None:
        program, costs = self.program, self.costs
        for n, bucket in enumerate(self.buckets):
            everywhere = [(own[n], 1.0) for own in self.counts]
            size = float(len(bucket.sequences))
            program.row(everywhere, least=size, most=size)
        program.row(
            [(used, degree) for used, degree in zip(self.used, self.degrees, strict=True)],
            most=costs.ranks,
        )
        for group, degree in enumerate(self.degrees):
            used, counts = self.used[group], self.counts[group]
            lengths = [bucket.length for bucket in self.buckets]
            memory = [costs.memory(length, degree) for length in lengths]
            program.row([*zip(counts, memory, strict=True), (used, -costs.bucket)], most=0.0)
            floor, intercept, slope = costs.communication(degree)
            for constant, factor in [(floor, 0.0), (intercept, slope)][: 2 if degree > 1 else 1]:
                own = [costs.work(length, degree) + factor * length for length in lengths]
                program.row(
                    [*zip(counts, own, strict=True), (used, constant), (self.time, -1)], most=0.0
                )
            if group > 0 and self.degrees[group - 1] == degree:  # equals are used in order
                program.row([(self.used[group - 1], 1.0), (used, -1.0)], least=0.0)

    def start(self, groups: Sequence[Group]) -> list[float]:
        """The values of groups whose sequences are numbers of buckets."""
        values = [0.0] * len(self.program.cost)
        free = {degree: self.degrees.index(degree) for degree in set(self.degrees)}
        for group in groups:
            at = free[group.degree]
            free[group.degree] += 1
            values[self.used[at]] = 1.0
            for bucket in group.sequences:
                values[self.counts[at][bucket]] += 1.0
        lengths = [bucket.length for bucket in self.buckets]
        values[self.time] = max(time_of(group, lengths, self.costs) for group in groups)
        return values

    def holds(self, groups: Sequence[Group]) -> bool:
        """Whether groups fit although every sequence counts as long as the longest of its bucket."""
        lengths = [bucket.length for bucket in self.buckets]
        return all(
            sum(self.costs.memory(lengths[n], group.degree) for n in group.sequences)
            <= self.costs.bucket
            for group in groups
        )

    def groups(self, values: Sequence[float]) -> list[Group]:
        """The groups of a solution, with sequences in place of counts."""
        costs = self.costs
        groups = [Group(degree, []) for degree in self.degrees]
        left = [[round(values[column]) for column in own] for own in self.counts]
        for n, bucket in enumerate(self.buckets):
            for k in bucket.sequences:
                open_ones = [at for at in range(len(groups)) if left[at][n] > 0]
                at = min(open_ones, key=lambda at: (time_of(groups[at], costs.lengths, costs), at))
                left[at][n] -= 1
                groups[at].sequences.append(k)
        return [group for group in groups if group.sequences]
