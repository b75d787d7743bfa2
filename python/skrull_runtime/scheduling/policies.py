"""The scheduling policies (src/schedule/policies/), decision for decision.

Every policy takes a problem and returns the micro-batches of each data-parallel rank; it raises ScheduleError where
it finds no schedule. Ties are broken by index.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace

from .cost import (
    Assignment,
    Placement,
    bucket_units,
    communication_of,
    iteration_time,
    micro_batch_time,
    shard_units,
    side_by_side,
    work_of,
)
from .problem import Problem, ScheduleError


def _degree_unavailable(degree: int) -> ScheduleError:
    message = (
        f"sequences must be sharded over {degree} ranks, but cost.comm has no row for that degree"
    )
    return ScheduleError("degree-unavailable", message)


def _full_degree(problem: Problem) -> int:
    """The whole context-parallel group, for policies that shard every sequence over it."""
    degree = problem.context_parallel
    if not problem.lengths:
        return 1
    if not problem.available(degree):
        raise _degree_unavailable(degree)
    for sequence, length in enumerate(problem.lengths):
        if shard_units(length, degree, problem) > bucket_units(problem):
            message = f"sequence {sequence} needs more than the {degree} ranks that this policy shards over"
            raise ScheduleError("policy-gave-up", message)
    return degree


def deepspeed(problem: Problem) -> Assignment:
    """DeepSpeed as it is: every sequence alone in a micro-batch and sharded over its group, in batch order."""
    degree = _full_degree(problem)
    assignment: Assignment = [[] for _ in range(problem.data_parallel)]
    for sequence in range(len(problem.lengths)):
        rank = sequence % problem.data_parallel
        assignment[rank].append([Placement(sequence, rank * problem.context_parallel, degree)])
    return assignment


def packed(problem: Problem) -> Assignment:
    """Everything sharded over its group and packed next-fit into micro-batches of at most C x N tokens."""
    return _pack_in_order(list(range(len(problem.lengths))), problem)


def sorted_by_length(problem: Problem) -> Assignment:
    """:func:`packed` after sorting by length, longest first: what sorted batching amounts to."""
    return _pack_in_order(_descending(problem), problem)


def _descending(problem: Problem) -> list[int]:
    return sorted(range(len(problem.lengths)), key=lambda k: (-problem.lengths[k], k))


def _pack_in_order(order: list[int], problem: Problem) -> Assignment:
    degree = _full_degree(problem)
    capacity = bucket_units(problem)
    assignment: Assignment = [[] for _ in range(problem.data_parallel)]
    used = [0.0] * problem.data_parallel
    for position, sequence in enumerate(order):
        rank = position % problem.data_parallel
        own = assignment[rank]
        units = shard_units(problem.lengths[sequence], degree, problem)
        placement = Placement(sequence, rank * problem.context_parallel, degree)
        if own and used[rank] + units <= capacity:
            own[-1].append(placement)
            used[rank] += units
        else:
            own.append([placement])
            used[rank] = units
    return [[sorted(placements) for placements in own] for own in assignment]


class _Group:
    """The ranks of one context-parallel group while a micro-batch is placed on them."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.degree = problem.context_parallel
        self.room = [float(bucket_units(problem))] * self.degree
        self.load = [0.0] * self.degree
        self.locals: list[deque[int]] = [deque() for _ in range(self.degree)]
        self.rank_of: dict[int, int | None] = {}

    def place_whole(self, sequence: int) -> bool:
        """Whole on the least loaded rank, else on the one with most room."""
        units = self._units(sequence, 1)
        rank = self.load.index(min(self.load))
        if units > self.room[rank]:
            rank = self.room.index(max(self.room))
        if units > self.room[rank]:
            return False
        self.room[rank] -= units
        self.load[rank] += self._work(sequence)
        self.locals[rank].append(sequence)
        self.rank_of[sequence] = rank
        return True

    def shard_with_roll_back(self, sequence: int) -> bool:
        """Over all ranks; where the fullest has no room, its shortest local sequence is sharded too, and so on."""
        if self.degree == 1 or not self.problem.available(self.degree):
            return False
        units = self._units(sequence, self.degree)
        while True:
            fullest = self.room.index(min(self.room))
            if units <= self.room[fullest]:
                break
            if not self.locals[fullest]:
                return False
            shortest = self.locals[fullest].popleft()
            self.room[fullest] += self._units(shortest, 1)
            self.load[fullest] -= self._work(shortest)
            self._shard(shortest)
        self._shard(sequence)
        return True

    def _shard(self, sequence: int) -> None:
        units = self._units(sequence, self.degree)
        for rank in range(self.degree):
            self.room[rank] -= units
        self.rank_of[sequence] = None

    def _units(self, sequence: int, degree: int) -> float:
        return shard_units(self.problem.lengths[sequence], degree, self.problem)

    def _work(self, sequence: int) -> float:
        return work_of(self.problem.lengths[sequence], 1, self.problem)


def dacp(ascending: list[int], problem: Problem) -> dict[int, int | None] | None:
    """One micro-batch on a context-parallel group (arXiv:2505.19609 Algorithm 1): rank of each sequence, None for all
    ranks; None in all where it fails. Memory is judged at the end: roll-back overdraws other ranks for a moment."""
    group = _Group(problem)
    for sequence in ascending:
        if not group.place_whole(sequence) and not group.shard_with_roll_back(sequence):
            return None
    return group.rank_of if min(group.room) >= 0 else None


def skrull_paper(problem: Problem) -> Assignment:
    """The paper's scheduler (arXiv:2505.19609 Algorithm 2, GDS, over Algorithm 1, DACP)."""
    spread: list[list[int]] = [[] for _ in range(problem.data_parallel)]
    load = [0.0] * problem.data_parallel
    for sequence in _descending(problem):
        least = load.index(min(load))
        load[least] += work_of(problem.lengths[sequence], 1, problem)
        spread[least].append(sequence)
    return [_micro_batches_of(own, rank, problem) for rank, own in enumerate(spread)]


def _micro_batches_of(own: list[int], rank: int, problem: Problem) -> list[list[Placement]]:
    if not own:
        return []
    ascending = sorted(own, key=lambda k: (problem.lengths[k], k))
    units = _units_together(ascending, problem)
    capacity = bucket_units(problem)
    fewest = max(1, math.ceil(units / capacity))
    attempts = 2 * fewest + 16
    for count in range(fewest, fewest + attempts):
        found = _interleave(ascending, count, problem)
        if found is not None:
            return [_placements_of(ranks, rank, problem) for ranks in found]
    if not problem.available(problem.context_parallel):
        raise _degree_unavailable(problem.context_parallel)
    message = f"skrull-paper found no schedule in {attempts} attempts; other policies may"
    raise ScheduleError("policy-gave-up", message)


def _units_together(sequences: list[int], problem: Problem) -> float:
    units = 0.0
    for sequence in sequences:
        units += shard_units(problem.lengths[sequence], problem.context_parallel, problem)
    return units


def _interleave(
    ascending: list[int], count: int, problem: Problem
) -> list[dict[int, int | None]] | None:
    """Micro-batch j takes every count-th sequence from j; None where one fails: the attempt is abandoned whole."""
    found = []
    for first in range(min(count, len(ascending))):
        members = ascending[first::count]
        if _units_together(members, problem) > bucket_units(problem):
            return None
        ranks = dacp(members, problem)
        if ranks is None:
            return None
        found.append(ranks)
    return found


def _placements_of(ranks: dict[int, int | None], rank: int, problem: Problem) -> list[Placement]:
    context = problem.context_parallel
    first = rank * context
    return sorted(
        Placement(sequence, first, context)
        if local is None
        else Placement(sequence, first + local, 1)
        for sequence, local in ranks.items()
    )


# In the order in which ``auto`` considers them.
POLICIES = {
    "deepspeed": deepspeed,
    "packed": packed,
    "sorted": sorted_by_length,
    "skrull-paper": skrull_paper,
}


def auto(problem: Problem) -> Assignment:
    """The best of all policies, each as it is and aligned; ties go to the earlier. Sequences that only a group over
    several data ranks can hold come first, one by one."""
    context = problem.context_parallel
    units = [shard_units(length, context, problem) for length in problem.lengths]
    wide = [k for k, size in enumerate(units) if size > bucket_units(problem)]
    if not wide:
        return _best_of_policies(problem)
    rest = [k for k, size in enumerate(units) if size <= bucket_units(problem)]
    first = [_wide_placement(sequence, problem) for sequence in wide]
    others = _best_of_policies(replace(problem, lengths=[problem.lengths[k] for k in rest]))
    return [
        [[placement] if rank == 0 else [] for placement in first]
        + [[p._replace(sequence=rest[p.sequence]) for p in placements] for placements in own]
        for rank, own in enumerate(others)
    ]


def _wide_placement(sequence: int, problem: Problem) -> Placement:
    """A sequence alone on the machine, at the degree that is fastest then."""
    length = problem.lengths[sequence]
    capacity = bucket_units(problem)
    fitting = [d for d in problem.class_degrees() if shard_units(length, d, problem) <= capacity]
    best, best_time = 0, float("inf")
    for degree in fitting:
        if not problem.available(degree):
            continue
        time = communication_of(length, degree, problem) + work_of(length, degree, problem)
        if time < best_time:
            best, best_time = degree, time
    if best == 0:
        raise _degree_unavailable(fitting[0])
    return Placement(sequence, 0, best)


def _best_of_policies(problem: Problem) -> Assignment:
    best: Assignment | None = None
    best_time = float("inf")
    reason: ScheduleError | None = None
    for policy in POLICIES.values():
        try:
            plain = policy(problem)
        except ScheduleError as error:
            reason = reason or error
            continue
        for assignment in (plain, aligned(plain, problem)):
            time = iteration_time(side_by_side(assignment), problem)
            if best is None or time < best_time:
                best, best_time = assignment, time
    if best is None:
        assert reason is not None
        raise reason
    return best


def aligned(assignment: Assignment, problem: Problem) -> Assignment:
    """Every rank's micro-batches by time, longest first: the long ones then run side by side."""
    result: Assignment = []
    context = problem.context_parallel
    for rank, own in enumerate(assignment):
        timed = [
            (-micro_batch_time(placements, rank * context, context, problem), index)
            for index, placements in enumerate(own)
        ]
        result.append([own[index] for _, index in sorted(timed)])
    return result
