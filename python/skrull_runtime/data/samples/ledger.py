"""What rows hold that is not rendered: every column and key, how often and where first it occurs, and an example."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from ...shapes import JsonObject
from .names import contract

MOST_NAMES = 200  # names in a ledger; hostile rows could each have a new one
OTHERS = "(others)"  # the name under which the rest is counted
SHOWN = 60  # characters of a name or of an example


@dataclass
class Finding:
    """A column or key that is not rendered."""

    where: str  # "row", "message" or "tool_call"
    name: str
    count: int
    first: int  # number of the first row that has it
    example: str
    meaning: bool  # known to change what should be trained
    harmless: bool = False  # known to change nothing


class Ledger:
    """Findings by place and name; those of several processes are merged, in the order of their rows."""

    def __init__(self) -> None:
        self._findings: dict[tuple[str, str], Finding] = {}

    def note(
        self, where: str, name: str, value: Any, number: int, meaning: bool | None = None
    ) -> None:
        """Counts a column or key of row ``number``, unless it is null or empty. ``meaning`` is decided by the name where
        it is None."""
        if value is None or value == "" or value == [] or value == {}:
            return
        name = name if name.isascii() and len(name) <= SHOWN else shorten(name)
        found = self._findings.get((where, name))
        if found is not None:
            found.count += 1
            return
        known = _known()
        if meaning is None:
            meaning = name in known[0][where]
        others = self._findings.get((where, OTHERS))
        if others is not None:  # there are too many names already
            others.count += 1
            others.meaning |= meaning
            return
        finding = Finding(where, name, 1, number, shown(value), meaning, name in known[1][where])
        self._add(finding)

    def merge(self, other: Ledger) -> None:
        """Adds the findings of rows that come after these."""
        for finding in other.findings():
            self._add(finding)

    def findings(self) -> list[Finding]:
        """All findings, those with a meaning first, then by frequency."""
        return sorted(
            (Finding(**asdict(finding)) for finding in self._findings.values()),
            key=lambda finding: (not finding.meaning, -finding.count, finding.where, finding.name),
        )

    def to_json(self) -> list[JsonObject]:
        """The findings as JSON objects."""
        return [asdict(finding) for finding in self.findings()]

    @classmethod
    def from_json(cls, findings: list[JsonObject]) -> Ledger:
        """The ledger that ``to_json`` wrote."""
        ledger = cls()
        for finding in findings:
            ledger._add(Finding(**finding))
        return ledger

    def _add(self, finding: Finding) -> None:
        key = (finding.where, finding.name)
        if key not in self._findings and len(self._findings) >= MOST_NAMES:
            key = (finding.where, OTHERS)
            finding.name, finding.harmless = OTHERS, False
        present = self._findings.get(key)
        if present is None:
            self._findings[key] = finding
            return
        present.count += finding.count
        present.meaning |= finding.meaning
        if finding.first < present.first:
            present.first, present.example = finding.first, finding.example


@cache
def _known() -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Names with a meaning and harmless names, by place."""
    unread = contract()["unread"]
    meaning, harmless = (
        {where: frozenset(names) for where, names in by_place.items()}
        for by_place in (unread["meaning"], unread["harmless"])
    )
    return meaning, harmless


def shown(value: Any) -> str:
    """A value as JSON, shortened."""
    if isinstance(value, str):
        return shorten(json.dumps(value[: SHOWN + 1], ensure_ascii=False))
    try:
        return shorten(json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError):
        return "{...}" if isinstance(value, dict) else "[...]"


def shorten(text: str) -> str:
    """At most ``SHOWN`` characters, all of which UTF-8 can encode."""
    text = text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
    return text.encode("utf-8", "replace").decode("utf-8")
