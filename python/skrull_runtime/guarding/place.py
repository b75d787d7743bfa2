"""Where in the run this rank is, in words: what others read when it does not answer any more."""

from __future__ import annotations

_place = "the start"


def at(place: str) -> None:
    """Notes that this rank has come to ``place``, such as "step 4, micro-batch 2". Cheap enough for every micro-batch."""
    global _place
    _place = place


def current() -> str:
    """The place that was noted last."""
    return _place
