"""Training twins: stock templates with tags around the parts of an answer, stored as lists of edits.

``contract/training-twins.json`` has, by the stock template's SHA-256, texts that occur in it once and what they become. A
tag says which message it belongs to, counted from the end; 0 stands for none. The tests check every twin against
differences of prefixes, and a twin is used only where it renders the same text as the stock template.
"""

from __future__ import annotations

from typing import TypedDict

from ...contract import document

TWINS = "training-twins.json"


class Twin(TypedDict):
    """A twin of the stock templates with these digests."""

    sha256: list[str]
    edits: list[list[str]]  # before and after


def twin_of(sha256: str, text: str) -> str | None:
    """The twin of a stock template, or None."""
    twins: list[Twin] = document(TWINS)["twins"]
    for twin in twins:
        if sha256 in twin["sha256"]:
            return edited(text, twin["edits"])
    return None


def edited(text: str, edits: list[list[str]]) -> str:
    """A text with edits applied. Each edit must match exactly one place: otherwise the list is at fault."""
    for before, after in edits:
        assert text.count(before) == 1, f"{text.count(before)} places for {before!r}"
        text = text.replace(before, after)
    return text
