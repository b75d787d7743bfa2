"""Contents that are lists of parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..samples.ledger import shorten
from ..samples.names import contract
from ..samples.sample import RowProblem


def are_parts(value: Any) -> bool:
    """Whether a value is a list of parts, and not a tool's result that happens to be a list."""
    return isinstance(value, list) and all(
        isinstance(part, str) or (isinstance(part, dict) and "type" in part) for part in value
    )


def joined(parts: list[Any], place: str, note: Callable[[str, str, Any], None]) -> str:
    """The texts of the parts, with nothing in between, as chat templates write them.

    Raises RowProblem for a part that is not text.
    """
    return "".join(_text(part, place, note) for part in parts)


def _text(part: Any, place: str, note: Callable[[str, str, Any], None]) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise RowProblem(f"{place} has a part that is neither text nor an object")
    kind = part.get("type", "text")
    if kind not in contract()["text_parts"]:
        raise RowProblem(
            f"{place} has a part of type {shorten(str(kind))}; only text is trained: leave such rows out"
        )
    text = part.get("text")
    if not isinstance(text, str):
        raise RowProblem(f"{place} has a part without its text")
    for key, value in part.items():
        if key not in ("type", "text"):
            note("message", f"content.{key}", value)
    return text
