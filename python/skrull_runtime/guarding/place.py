"""Where in the run this rank is, in words: others report it when this rank no longer answers."""

from __future__ import annotations

_place = "the start"


def at(place: str) -> None:
    """Notes that this rank has reached ``place``, such as "step 4, micro-batch 2". Cheap enough for every micro-batch."""
    global _place
    _place = place


def current() -> str:
    """The last place that was noted."""
    return _place
