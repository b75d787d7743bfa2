"""Checks that all ranks are about to do the same thing, so that a disagreement, or a rank that cannot take part, is named
and ends the run instead of hanging it."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from ..errors import FaultElsewhere, ToldByAnother, UserError
from ..guarding.reasons import disk_problem, is_symptom
from ..guarding.watch import named
from .collectives import all_gather_single

Made = TypeVar("Made")
_turns = itertools.count()  # of :func:`by_rank_0`, the same on all ranks


def digest_of(*parts: Any) -> str:
    """The SHA-256 of JSON values and bytes together."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def require_agreement(what: str, digest: str, device: torch.device) -> None:
    """Collective. Raises UserError on every rank, naming the ranks whose digest differs from rank 0's."""
    own = torch.tensor(list(bytes.fromhex(digest)), dtype=torch.uint8, device=device)
    everyone = own.new_empty(dist.get_world_size() * len(own))
    all_gather_single(everyone, own)
    first, *others = everyone.cpu().split(len(own))
    different = [rank for rank, other in enumerate(others, 1) if not torch.equal(other, first)]
    if different:
        dist.barrier()  # all ranks get here; one that left at once could break another's gather
        raise UserError(_differing(different, what))


_asked = count()  # calls so far; all ranks make the same calls in the same order
KEPT = 4096  # answers of rank 0 in the store: no rank is that far behind


def require_same_schedule(step: int, digest: str) -> None:
    """Raises UserError on a rank whose schedule of a step is not rank 0's; the guard tells the others.

    It goes through the store of the process group, so nothing on a device waits for it.
    """
    store, number, rank = dist.distributed_c10d._get_default_store(), next(_asked), dist.get_rank()
    if rank == 0:
        store.set(f"schedule/{number}", digest)
        if number >= KEPT:
            store.delete_key(f"schedule/{number - KEPT}")
    elif store.get(f"schedule/{number}").decode() != digest:
        raise UserError(_differing([rank], f"schedule of step {step}"))


def _differing(ranks: list[int], what: str) -> str:
    return f"{named('rank', ranks)} and rank 0 differ in their {what}: are all nodes running the same folder?"


@dataclass(frozen=True)
class Problem:
    """Why a rank cannot continue: a user's mistake, or a fault with its traceback."""

    reason: str
    trace: str = ""

    @staticmethod
    def of(error: Exception) -> Problem:
        """The problem behind an exception. An OSError counts as a state of the machine that the user can change."""
        if found := disk_problem(error):
            return Problem(found)
        if isinstance(error, (OSError, UserError)):
            return Problem(str(error))
        said = "".join(traceback.format_exception_only(error)).strip()
        return Problem(said, "".join(traceback.format_exception(error)))

    def about(self, what: str) -> Problem:
        """The same problem, preceded by what could not be done; a fault stays unchanged."""
        return self if self.trace else Problem(f"{what} ({self.reason})")

    def __str__(self) -> str:
        return self.reason

    def error(self, primary: bool) -> Exception:
        """The exception to raise; ``primary`` is False for another rank's problem."""
        if self.trace:
            return FaultElsewhere(self.reason, self.trace if primary else "", primary)
        return UserError(self.reason) if primary else ToldByAnother(self.reason)


def attempted(make: Callable[[], Made]) -> tuple[Made | None, Problem | None]:
    """What this rank makes, or why it cannot, to be passed to :func:`require_success`: other ranks may succeed.

    An exception that only shows that another rank has failed is raised.
    """
    try:
        return make(), None
    except Exception as error:
        if is_symptom(error):
            raise
        return None, Problem.of(error)


def require_success(problem: Problem | str | None) -> None:
    """Collective. Raises on every rank if any has a problem: UserError, or FaultElsewhere if that is a fault. Text is a
    user's mistake."""
    problems: list[Problem | None] = [None] * dist.get_world_size()
    dist.all_gather_object(problems, Problem(problem) if isinstance(problem, str) else problem)
    rank = next((rank for rank, found in enumerate(problems) if found is not None), None)
    if rank is not None:
        dist.barrier()  # as above
        found = problems[rank]
        assert found is not None
        raise found.error(primary=rank == dist.get_rank())


def together(make: Callable[[], Made]) -> Made:
    """Collective: what every rank makes by itself. Raises as :func:`require_success` does if one cannot.

    A process that is in no group makes it alone.
    """
    if not dist.is_initialized():
        return make()
    made, problem = attempted(make)
    require_success(problem)
    return cast(Made, made)


def by_rank_0(make: Callable[[], Made]) -> Made | None:
    """Collective: what rank 0 alone makes, however long that takes; None on other ranks.

    The others wait at the store, not in a collective operation: a download may take longer than the time-out of one. The
    guard ends them if rank 0 fails. Raises as :func:`require_success` does if it cannot be made.
    """
    if not dist.is_initialized():
        return make()
    store = dist.distributed_c10d._get_default_store()
    key = f"skrull/by-rank-0/{next(_turns)}"
    made, problem = None, None
    if dist.get_rank() == 0:
        made, problem = attempted(make)
        store.set(key, "done")
    else:
        while not store.check([key]):
            time.sleep(0.1)
    require_success(problem)
    return made
