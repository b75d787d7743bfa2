"""Training twins: stock templates with tags around what an answer consists of, as lists of edits.

``contract/training-twins.json`` has, by the stock template's sha256, texts that it has once and what they become. A tag
says which message it is of, counted from the end; with 0 it is of none. A twin is vetted by the tests, against differences
of prefixes, and used only where it makes the stock template's text.
"""

from __future__ import annotations

from ...contract import document

TWINS = "training-twins.json"


def twin_of(sha256: str, text: str) -> str | None:
    """The twin of a stock template, or None."""
    for twin in document(TWINS)["twins"]:
        if sha256 in twin["sha256"]:
            return edited(text, twin["edits"])
    return None


def edited(text: str, edits: list[list[str]]) -> str:
    """A text with its edits. Each is of a place that there is once: another number is a fault of the list's."""
    for before, after in edits:
        assert text.count(before) == 1, f"{text.count(before)} places for {before!r}"
        text = text.replace(before, after)
    return text
