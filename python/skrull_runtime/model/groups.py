"""Process groups of ranks that share sequences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import torch.distributed as dist

from ..errors import UserError

MOST_AHEAD = 64  # groups of a degree that are made before they are needed


class GroupTable:
    """The process groups that this rank is in, by degree and first rank; made when a schedule first needs them."""

    def __init__(self, timeout: timedelta | None = None):
        self._timeout = timeout
        self._made: set[int] = {1}
        self._own: dict[tuple[int, int], dist.ProcessGroup] = {}

    def prepare(self, degrees: Iterable[int]) -> None:
        """Makes the groups of these degrees that do not exist yet.

        Collective: every rank calls it with the same degrees, and makes every group in the same order, whether or not it
        is a member. Raises UserError where the ranks cannot be divided into groups.
        """
        world, rank = dist.get_world_size(), dist.get_rank()
        for degree in sorted(set(degrees) - self._made):
            if world % degree != 0:
                raise UserError(f"{world} ranks cannot be divided into groups of {degree}")
            members = [list(range(first, first + degree)) for first in range(0, world, degree)]
            self._own[degree, rank - rank % degree] = self._make(members, rank)
            self._made.add(degree)

    def _make(self, members: list[list[int]], rank: int) -> dist.ProcessGroup:
        """Makes these groups, and returns this rank's."""
        own: dist.ProcessGroup | None
        if _can_split():
            # In one call; communicators share buffers only if they take turns, and ours overlap.
            own = dist.split_group(split_ranks=members, timeout=self._timeout)
        else:
            made = [dist.new_group(each, timeout=self._timeout) for each in members]
            own = made[rank // len(members[0])]
        assert own is not None, "every rank is in a group"
        return own

    def prepare_ahead(self, degrees: Iterable[int]) -> None:
        """As :meth:`prepare`, before training, for degrees with few groups; the others are made when a schedule needs
        them."""
        world = dist.get_world_size()
        self.prepare(d for d in degrees if world % d == 0 and world // d <= MOST_AHEAD)

    def get(self, degree: int, first_rank: int) -> dist.ProcessGroup:
        """The group of ``first_rank .. first_rank + degree - 1``, which this rank must be in."""
        assert (degree, first_rank) in self._own, "not a member of the group, or not prepared"
        return self._own[degree, first_rank]

    def __len__(self) -> int:
        return len(self._own)


def _can_split() -> bool:
    """Whether groups can be split from the group of all ranks: NCCL can do so once that is bound to a device."""
    everyone = dist.group.WORLD
    bound = getattr(everyone, "bound_device_id", None) is not None
    return bound and dist.get_backend() == "nccl" and hasattr(dist, "split_group")
