"""Process groups of ranks that share sequences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import torch.distributed as dist

from .errors import UserError


class GroupTable:
    """The process groups that this rank is in, by degree and first rank; made when a schedule first asks for them."""

    def __init__(self, timeout: timedelta | None = None):
        self._timeout = timeout
        self._made: set[int] = {1}
        self._own: dict[tuple[int, int], dist.ProcessGroup] = {}

    def prepare(self, degrees: Iterable[int]) -> None:
        """Makes the groups of these degrees, where there are none yet.

        Collective: every rank calls it with the same degrees, and makes every group of them in the same order,
        whether or not it is a member. Raises UserError where the ranks do not divide into groups.
        """
        world, rank = dist.get_world_size(), dist.get_rank()
        for degree in sorted(set(degrees) - self._made):
            if world % degree != 0:
                raise UserError(f"{world} ranks cannot be divided into groups of {degree}")
            for first in range(0, world, degree):
                members = list(range(first, first + degree))
                group = dist.new_group(members, timeout=self._timeout)
                if rank in members:
                    self._own[degree, first] = group
            self._made.add(degree)

    def get(self, degree: int, first_rank: int) -> dist.ProcessGroup:
        """The group of ``first_rank .. first_rank + degree - 1``, which this rank must be in."""
        assert (degree, first_rank) in self._own, "not a member of the group, or not prepared"
        return self._own[degree, first_rank]

    def __len__(self) -> int:
        return len(self._own)
