"""Training twins: stock templates with tags around what an answer consists of, as lists of edits.

``contract/training-twins.json`` has, by the stock template's sha256, texts of it and what they become. A twin is vetted by
the tests and used only where it makes the stock template's text.
"""

from __future__ import annotations


def twin_of(sha256: str, text: str) -> str | None:
    """The twin of a stock template, or None."""
    return None
