"""Checks that all ranks are about to do the same thing: a disagreement, or a rank that cannot, ends the run by name and
not in a hang."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from .errors import UserError

Made = TypeVar("Made")


def digest_of(*parts: Any) -> str:
    """SHA-256 of JSON values and bytes together."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True).encode()
        digest.update(len(content).to_bytes(8, "big") + content)
    return digest.hexdigest()


def require_agreement(what: str, digest: str, device: torch.device) -> None:
    """Raises UserError, on every rank, naming the ranks whose digest is not rank 0's."""
    own = torch.tensor(list(bytes.fromhex(digest)), dtype=torch.uint8, device=device)
    everyone = own.new_empty(dist.get_world_size() * len(own))
    dist.all_gather_single(everyone, own)
    first, *others = everyone.cpu().split(len(own))
    different = [rank for rank, other in enumerate(others, 1) if not torch.equal(other, first)]
    if different:
        dist.barrier()  # all ranks come here; one that left at once could break another's gather
        ranks = ", ".join(map(str, different))
        raise UserError(
            f"rank(s) {ranks} have another {what} than rank 0: are all nodes running the same folder?"
        )


def attempted(make: Callable[[], Made]) -> tuple[Made | None, str | None]:
    """What one rank makes, or why it cannot: for :func:`require_success`, as the others may be able to."""
    try:
        return make(), None
    except (OSError, UserError) as error:
        return None, str(error)


def require_success(problem: str | None) -> None:
    """Collective. Raises UserError on every rank where one has a problem, and says which."""
    problems: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(problems, problem)
    first = next((found for found in problems if found is not None), None)
    if first is not None:
        dist.barrier()  # as above
        raise UserError(first)


def together(make: Callable[[], Made]) -> Made:
    """Collective: what every rank makes by itself. Raises UserError on all where one cannot.

    A process that is in no group makes it alone.
    """
    if not dist.is_initialized():
        return make()
    made, problem = attempted(make)
    require_success(problem)
    return cast(Made, made)
