"""The scheduling policies besides ``auto`` that a run trains by (src/schedule/policies/), decision for decision.

Every policy takes a problem and returns the micro-batches of each data-parallel rank; it raises ScheduleError where
it finds no schedule. Ties are broken by index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .cells import longest_first
from .cost import Assignment, Placement, bucket_units, shard_units
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


def all_sharded(policy: Callable[[Problem], Batches]) -> Callable[[Problem], Assignment]:
    """A policy with the placements of its batches."""

    def placed(problem: Problem) -> Assignment:
        degree = problem.context_parallel
        return [
            [[Placement(k, rank * degree, degree) for k in sorted(batch)] for batch in own]
            for rank, own in enumerate(policy(problem))
        ]

    return placed
