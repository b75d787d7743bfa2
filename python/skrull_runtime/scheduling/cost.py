"""Time and memory of sequences and groups (src/schedule/time-and-memory.ts).

Only ``+ - * /``, comparisons and rounding, in one fixed order: the same bits as in TypeScript.
"""

from __future__ import annotations

from typing import NamedTuple

from .answer import PlacementEntry
from .problem import LARGEST_INTEGER, Problem


class Placement(NamedTuple):
    """A sequence on the aligned group of ranks first_rank .. first_rank + degree - 1; degree 1 is local."""

    sequence: int
    first_rank: int
    degree: int

    def entry(self) -> PlacementEntry:
        """As the contract's answer has it."""
        return {
            "sequence": self.sequence,
            "first_rank": self.first_rank,
            "degree": self.degree,
        }


# Micro-batches of each data-parallel rank, in the order it runs them.
Assignment = list[list[list[Placement]]]


def work_of(length: int, degree: int, problem: Problem) -> float:
    """Work of a sequence on each of its ranks, us (arXiv:2505.19609 Eq. 13 and 14)."""
    whole = problem.a1 * length + problem.a2 * length * length
    return whole / degree + problem.a2 * problem.small_shard_tokens * length


def communication_of(tokens: float, degree: int, problem: Problem) -> float:
    """Communication of a group in one micro-batch, us (arXiv:2505.19609 Eq. 16)."""
    if tokens == 0 or degree == 1 or degree not in problem.comm:
        return 0.0
    floor, intercept, slope = problem.comm[degree]
    return max(floor, intercept + slope * tokens)


def micro_batch_time(slowest: float, problem: Problem) -> float:
    """Time of a micro-batch, us, by that of its slowest rank."""
    return max(problem.least, slowest) + problem.fixed


def shard_units(length: int, degree: int, problem: Problem) -> float:
    """Memory of a shard in units of 1/N token: whole numbers, so that a bucket that is exactly full is recognised."""
    unit = problem.context_parallel
    if degree == 1:
        return length * unit
    if problem.padding == "zigzag":
        return 2 * -(-length // (2 * degree)) * unit
    return length * unit / degree


def bucket_units(problem: Problem) -> int:
    """Capacity of a rank in the units of :func:`shard_units`; beyond all tokens together, more makes no difference."""
    return min(problem.bucket * problem.context_parallel, LARGEST_INTEGER)


def side_by_side(assignment: Assignment) -> list[list[Placement]]:
    """Micro-batches of all data-parallel ranks by index; ranks that have fewer stay empty."""
    count = max((len(own) for own in assignment), default=0)
    return [
        [placement for own in assignment if index < len(own) for placement in own[index]]
        for index in range(count)
    ]
