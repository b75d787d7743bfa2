"""The scheduling policies (src/schedule/policies/), decision for decision.

Every policy takes a problem and returns the micro-batches of each data-parallel rank; it raises ScheduleError where
it finds no schedule. Ties are broken by index.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable

from .cells import longest_first
from .cost import Assignment, Placement, bucket_units, shard_units, work_of
from .problem import Problem, ScheduleError


def _degree_unavailable(degree: int) -> ScheduleError:
    message = (
        f"sequences must be sharded over {degree} ranks, but cost.comm has no row for that degree"
    )
    return ScheduleError("degree-unavailable", message)


def unplaceable(sequence: int, problem: Problem) -> ScheduleError:
    """That a sequence fits only at degrees whose cost is not known: the smallest of them is named."""
    length, capacity = problem.lengths[sequence], bucket_units(problem)
    fitting = (d for d in problem.class_degrees() if shard_units(length, d, problem) <= capacity)
    return _degree_unavailable(next(fitting, problem.context_parallel))


def _cannot_shard(sequence: int, problem: Problem) -> ScheduleError:
    """Why a sequence cannot be sharded over the context-parallel group."""
    degree = problem.context_parallel
    if not problem.available(degree):
        return _degree_unavailable(degree)
    message = f"sequence {sequence} needs more than the {degree} ranks that this policy shards over"
    return ScheduleError("policy-gave-up", message)


# Sequences of every data-parallel rank's micro-batches, all sharded over the whole group.
Batches = list[list[list[int]]]


def _full_units(problem: Problem) -> list[float]:
    """Memory of every sequence's shard over the whole group, for policies that shard everything."""
    degree, capacity = problem.context_parallel, bucket_units(problem)
    units = [shard_units(length, degree, problem) for length in problem.lengths]
    for sequence, own in enumerate(units):
        if own > capacity or not problem.available(degree):
            raise _cannot_shard(sequence, problem)
    return units


def deepspeed(problem: Problem) -> Batches:
    """DeepSpeed as it is: every sequence alone in a micro-batch and sharded over its group, in batch order."""
    _full_units(problem)
    batches: Batches = [[] for _ in range(problem.data_parallel)]
    for sequence in range(len(problem.lengths)):
        batches[sequence % problem.data_parallel].append([sequence])
    return batches


def packed(problem: Problem) -> Batches:
    """Everything sharded over its group and packed next-fit into micro-batches of at most C x N tokens."""
    return _pack_in_order(range(len(problem.lengths)), problem)


def sorted_by_length(problem: Problem) -> Batches:
    """:func:`packed` after sorting by length, longest first: what sorted batching amounts to."""
    return _pack_in_order(longest_first(problem.lengths), problem)


def _pack_in_order(order: Iterable[int], problem: Problem) -> Batches:
    units, capacity = _full_units(problem), bucket_units(problem)
    batches: Batches = [[] for _ in range(problem.data_parallel)]
    used = [0.0] * problem.data_parallel
    for position, sequence in enumerate(order):
        rank = position % problem.data_parallel
        own = batches[rank]
        if own and used[rank] + units[sequence] <= capacity:
            own[-1].append(sequence)
            used[rank] += units[sequence]
        else:
            own.append([sequence])
            used[rank] = units[sequence]
    return batches


def _all_sharded(policy: Callable[[Problem], Batches]) -> Callable[[Problem], Assignment]:
    """A policy with the placements of its batches."""

    def placed(problem: Problem) -> Assignment:
        degree = problem.context_parallel
        return [
            [[Placement(k, rank * degree, degree) for k in sorted(batch)] for batch in own]
            for rank, own in enumerate(policy(problem))
        ]

    return placed


class _Group:
    """The ranks of one context-parallel group while a micro-batch is placed on them."""

    def __init__(self, problem: Problem, in_turn: bool):
        self.problem = problem
        self.in_turn = in_turn
        self.turn = 0
        self.degree = problem.context_parallel
        self.room = [float(bucket_units(problem))] * self.degree
        self.load = [0.0] * self.degree
        self.locals: list[deque[int]] = [deque() for _ in range(self.degree)]
        self.rank_of: dict[int, int | None] = {}

    def place_whole(self, sequence: int) -> bool:
        """Whole on the least loaded rank, else on the one with most room; or on the next in turn."""
        units = self._units(sequence, 1)
        if self.in_turn:
            rank = self.turn
            self.turn = (rank + 1) % self.degree
        else:
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


def distribute(
    ascending: list[int], in_turn: bool, problem: Problem
) -> dict[int, int | None] | None:
    """One micro-batch on a context-parallel group: rank of each sequence, None for all ranks; None in all where it
    fails (arXiv:2505.19609 Algorithm 1; in turn: Algorithm 4). Memory is judged at the end: roll-back overdraws other
    ranks for a moment."""
    group = _Group(problem, in_turn)
    for sequence in ascending:
        if not group.place_whole(sequence) and not group.shard_with_roll_back(sequence):
            return None
    return group.rank_of if min(group.room) >= 0 else None


def dacp(problem: Problem) -> Assignment:
    """DACP alone, in batch order: a micro-batch takes sequences until DACP fails on the next."""
    count = problem.data_parallel
    return [
        [
            _placements_of(found, rank, problem)
            for found in _close_where_it_fails(
                list(range(rank, len(problem.lengths), count)), problem
            )
        ]
        for rank in range(count)
    ]


def _close_where_it_fails(own: list[int], problem: Problem) -> list[dict[int, int | None]]:
    closed: list[dict[int, int | None]] = []
    members: list[tuple[int, int]] = []
    opened: dict[int, int | None] | None = None
    for sequence in own:
        entry = (problem.lengths[sequence], sequence)
        longer = sorted([*members, entry])
        found = distribute([k for _, k in longer], False, problem)
        if found is not None:
            members, opened = longer, found
            continue
        if opened is not None:
            closed.append(opened)
        members = [entry]
        opened = distribute([sequence], False, problem)
        if opened is None:
            raise _cannot_shard(sequence, problem)
    return closed if opened is None else [*closed, opened]


def skrull_paper(problem: Problem) -> Assignment:
    """The paper's scheduler: GDS over DACP (arXiv:2505.19609 Algorithms 2 and 1)."""
    return _gds(False, problem)


def round_robin(problem: Problem) -> Assignment:
    """The paper's ablation: GDS over its Algorithm 4, whole sequences to the ranks in turn."""
    return _gds(True, problem)


def _gds(in_turn: bool, problem: Problem) -> Assignment:
    spread: list[list[int]] = [[] for _ in range(problem.data_parallel)]
    load = [0.0] * problem.data_parallel
    for sequence in longest_first(problem.lengths):
        least = load.index(min(load))
        load[least] += work_of(problem.lengths[sequence], 1, problem)
        spread[least].append(sequence)
    return [_micro_batches_of(own, rank, in_turn, problem) for rank, own in enumerate(spread)]


def _micro_batches_of(
    own: list[int], rank: int, in_turn: bool, problem: Problem
) -> list[list[Placement]]:
    if not own:
        return []
    ascending = sorted(own, key=lambda k: (problem.lengths[k], k))
    units = _units_together(ascending, problem)
    capacity = bucket_units(problem)
    fewest = max(1, math.ceil(units / capacity))
    attempts = 2 * fewest + 16
    for count in range(fewest, fewest + attempts):
        found = _interleave(ascending, count, in_turn, problem)
        if found is not None:
            return [_placements_of(ranks, rank, problem) for ranks in found]
    if not problem.available(problem.context_parallel):
        raise _degree_unavailable(problem.context_parallel)
    message = f"{problem.policy} found no schedule in {attempts} attempts; other policies may"
    raise ScheduleError("policy-gave-up", message)


def _units_together(sequences: list[int], problem: Problem) -> float:
    units = 0.0
    for sequence in sequences:
        units += shard_units(problem.lengths[sequence], problem.context_parallel, problem)
    return units


def _interleave(
    ascending: list[int], count: int, in_turn: bool, problem: Problem
) -> list[dict[int, int | None]] | None:
    """Micro-batch j takes every count-th sequence from j; None where one fails: the attempt is abandoned whole."""
    found = []
    for first in range(min(count, len(ascending))):
        members = ascending[first::count]
        if _units_together(members, problem) > bucket_units(problem):
            return None
        ranks = distribute(members, in_turn, problem)
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


POLICIES = {
    "deepspeed": _all_sharded(deepspeed),
    "packed": _all_sharded(packed),
    "sorted": _all_sharded(sorted_by_length),
    "dacp": dacp,
    "round-robin": round_robin,
    "skrull-paper": skrull_paper,
}
