"""A sample's text before it is tokenised, with the ranges of characters that answer."""

from __future__ import annotations

from typing import NamedTuple

from ..samples.sample import IN_EVERY_VIEW


class Answer(NamedTuple):
    """Characters from ``start`` up to ``end`` that a model has to write; ``turn``: the number of their message."""

    start: int
    end: int
    turn: int


class Draft(NamedTuple):
    text: str
    answers: list[Answer]  # ascending, none over another
    method: str
    views: int = IN_EVERY_VIEW
    quoted: tuple[
        tuple[int, int], ...
    ] = ()  # ranges of contents that look like special tokens and are none
