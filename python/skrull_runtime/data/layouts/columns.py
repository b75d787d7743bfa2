"""A row's columns, found by concept; those that no layout reads go to the ledger."""

from __future__ import annotations

import json
from typing import Any

from ...shapes import JsonObject
from ..samples.ledger import Ledger
from ..samples.names import Layout
from ..samples.sample import RowProblem
from .parsing import parse


class Columns:
    """The columns of a row that are not ignored by name."""

    def __init__(self, row: JsonObject, layout: Layout):
        ignored = layout.ignored
        self.row = (
            {name: value for name, value in row.items() if name not in ignored} if ignored else row
        )
        self.names = layout.names
        # Most rows have only one column that a layout reads; then there is nothing else to look for.
        self.plain = len(layout.known.intersection(self.row)) == 1
        self._read: set[str] = set()

    def find(self, concept: str) -> str | None:
        """The name under which the row has a value that is not null; None where there is none."""
        row = self.row
        for name in self.names[concept]:
            if row.get(name) is not None and name not in self._read:
                return name
        return None

    def expected(self, concept: str) -> str:
        """The name to look for first, for messages."""
        return self.names[concept][0]

    def take(self, concept: str) -> tuple[str, Any]:
        """A column's name and value, which then counts as read; the value is None where there is none."""
        name = self.find(concept)
        if name is None:
            return self.expected(concept), None
        self._read.add(name)
        return name, self.row[name]

    def text(self, concept: str) -> str | None:
        """A column that is text; None where it is missing. Raises RowProblem where it is something else."""
        name, value = self.take(concept)
        if value is not None and not isinstance(value, str):
            raise RowProblem(f'"{name}" is not text')
        return value

    def required_text(self, concept: str) -> str:
        """A column that is text. Raises RowProblem where it is not."""
        name, value = self.take(concept)
        if not isinstance(value, str):
            raise RowProblem(f'has no text "{name}"')
        return value

    def json(self, concept: str) -> tuple[str, Any]:
        """A column that is a list or an object, or JSON text of one. Raises RowProblem where the text is not."""
        name, value = self.take(concept)
        return name, json_value(value, name)

    def note_unread(self, ledger: Ledger, number: int) -> None:
        """Counts the columns that were not read."""
        for name, value in self.row.items():
            if name not in self._read:
                ledger.note("row", name, value, number)


def json_value(value: Any, name: str) -> Any:
    """The value, or what its JSON text says; None for an empty text. Raises RowProblem."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return parse(value)
    except RowProblem as problem:
        raise RowProblem(f'"{name}" {problem}') from None


def json_text(value: Any) -> str:
    """JSON as templates write it."""
    return json.dumps(value, ensure_ascii=False)
