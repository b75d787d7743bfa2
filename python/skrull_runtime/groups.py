"""Process groups of ranks that share sequences."""

from __future__ import annotations

from datetime import timedelta

import torch.distributed as dist


class GroupTable:
    """The process groups that this rank is in, by degree and first rank.

    Every rank creates every group in the same order, whether or not it is a member: creating one is collective.
    """

    def __init__(self, degrees: list[int], timeout: timedelta | None = None):
        self._own: dict[tuple[int, int], dist.ProcessGroup] = {}
        world, rank = dist.get_world_size(), dist.get_rank()
        for degree in sorted({d for d in degrees if d > 1}):
            if world % degree != 0:
                raise ValueError(f"{world} ranks cannot be divided into groups of {degree}")
            for first in range(0, world, degree):
                group = dist.new_group(list(range(first, first + degree)), timeout=timeout)
                if first <= rank < first + degree:
                    self._own[degree, first] = group

    def get(self, degree: int, first_rank: int) -> dist.ProcessGroup:
        """The group of ``first_rank .. first_rank + degree - 1``, which this rank must be in."""
        assert (degree, first_rank) in self._own, "not a member of the group"
        return self._own[degree, first_rank]
