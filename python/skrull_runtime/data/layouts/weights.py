"""Whether a row takes a message out of the loss: ``weight`` (OpenAI), ``loss``, ``train``, ``trainable``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..samples.ledger import shown
from ..samples.sample import RowProblem


def trained(given: Mapping[str, Any], place: str) -> bool | None:
    """Whether the loss counts a message, by its keys for that; None where it has no such key.

    Raises RowProblem for a weight other than 0 and 1.
    """
    for name, value in given.items():
        # In Python, True is 1 and 1.0 is 1.
        if not isinstance(value, (bool, int, float)) or value not in (0, 1):
            raise RowProblem(
                f"{place} has {name} = {shown(value)}; only 0, 1, false and true are read"
            )
    said = {bool(value) for value in given.values()}
    if len(said) > 1:
        raise RowProblem(f"{place} has {' and '.join(given)}, which say different things")
    return said.pop() if said else None
