"""Rows of CSV and TSV: the first line holds the names, and all values are texts."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO

from ...errors import UserError
from . import row
from .lines import lines
from .row import TOO_LONG, Row, from_values


class _Problem(Exception):
    """Why a row cannot be read."""


class _Lines:
    """The lines of a row as text. An iterator that can continue after raising, which a generator cannot."""

    def __init__(self, stream: BinaryIO):
        self._lines = lines(stream)
        self.taken = 0  # bytes since the caller reset it

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        _, line = next(self._lines)
        if line is None:
            raise _Problem(TOO_LONG)
        self.taken += len(line)
        if self.taken > row.MOST_BYTES:
            raise _Problem(TOO_LONG)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            raise _Problem("is not UTF-8") from None


def separated_rows(stream: BinaryIO, separator: str) -> Iterator[Row]:
    """The rows below the names. Raises UserError where the names cannot be read, or one occurs twice."""
    csv.field_size_limit(row.MOST_BYTES)
    source = _Lines(stream)
    fields = csv.reader(source, delimiter=separator)
    names = _names(fields)
    number = 0
    while names:
        source.taken = 0
        try:
            values = next(fields)
        except StopIteration:
            return
        except (csv.Error, _Problem) as problem:
            number += 1
            yield Row(number, b"", _said(problem))
            continue
        if values:
            number += 1
            yield _row(number, names, values)


def _said(problem: Exception) -> str:
    return str(problem) if isinstance(problem, _Problem) else f"is not CSV ({problem})"


def _names(fields: Iterator[list[str]]) -> list[str]:
    try:
        names = next(fields, [])
    except (csv.Error, _Problem) as problem:
        raise UserError(
            f"its first line, with the names of the columns, {_said(problem)}"
        ) from None
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise UserError(f"two columns are called {name[:60]!r}")
        seen.add(name)
    return names


def _row(number: int, names: list[str], values: list[str]) -> Row:
    if len(values) != len(names):
        return Row(number, b"", f"has {len(values)} values, and there are {len(names)} columns")
    return from_values(number, dict(zip(names, values, strict=True)))
