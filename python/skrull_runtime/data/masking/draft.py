"""The text of a sample before it is tokenised, with the ranges of characters that are answers."""

from __future__ import annotations

from typing import NamedTuple

from ..samples.sample import IN_EVERY_VIEW


class Answer(NamedTuple):
    """Characters from ``start`` up to ``end`` that a model must write; ``turn``: the number of their message."""

    start: int
    end: int
    turn: int


class Draft(NamedTuple):
    text: str
    answers: list[Answer]  # ascending, without overlaps
    method: str
    views: int = IN_EVERY_VIEW
    # Ranges of contents that look like special tokens but are not.
    quoted: tuple[tuple[int, int], ...] = ()
