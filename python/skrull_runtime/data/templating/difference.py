"""Where two renderers first make different texts of the same samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from ..masking.draft import Draft
from ..samples.sample import RowProblem, Sample
from .renderer import Renderer


class Difference(TypedDict):
    """A sample's number, where its texts first differ, and both texts around that place."""

    sample: int
    character: int
    text: str
    other: str


def first_difference(
    renderer: Renderer, other: Renderer, samples: Sequence[Sample]
) -> Difference | None:
    """The first sample that two renderers render differently; None where there is none.

    Where a renderer refuses a sample, its reason takes the place of the text.
    """
    pairs = zip(renderer.plan(samples), other.plan(samples), strict=True)
    for number, ((mine, _), (theirs, _)) in enumerate(pairs):
        one, two = _whole(mine), _whole(theirs)
        if one != two:
            at = _first_unequal(one, two)
            return {
                "sample": number,
                "character": at,
                "text": _excerpt(one, at),
                "other": _excerpt(two, at),
            }
    return None


def _whole(drafts: list[Draft] | RowProblem) -> str:
    return str(drafts) if isinstance(drafts, RowProblem) else drafts[0].text if drafts else ""


def _first_unequal(one: str, two: str) -> int:
    shared = min(len(one), len(two))
    return next((at for at in range(shared) if one[at] != two[at]), shared)


def _excerpt(text: str, at: int, before: int = 30, behind: int = 70) -> str:
    start = max(0, at - before)
    return (
        ("..." if start else "")
        + text[start : at + behind]
        + ("..." if len(text) > at + behind else "")
    )
