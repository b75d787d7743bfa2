"""A row as a file holds it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ...shapes import JsonObject

MOST_BYTES = 100_000_000  # of a row: some 25 million tokens, more than any run takes
_AS_TEXT = ("datetime", "decimal", "uuid")  # modules of types that are written as text
TOO_LONG = f"is longer than {MOST_BYTES // 1_000_000} MB"


class JsonText(str):
    """A value of a table that is JSON: its contents become part of the row, including nulls."""

    __slots__ = ()


class Row(NamedTuple):
    """One row."""

    number: int  # from 1: the line in a file of lines, otherwise the item
    content: bytes  # of a JSON object; empty where there is a problem
    problem: str | None = None  # why it cannot be used


def from_values(number: int, values: JsonObject) -> Row:
    """The row of a format that holds values, as one line of JSON."""
    try:
        content = _ENCODER.encode(plain(values)).encode("utf-8")
    except UnicodeEncodeError:
        return Row(number, b"", "holds text that is not UTF-8")
    except RecursionError:
        return Row(number, b"", "is nested too deeply")
    return Row(number, content) if len(content) <= MOST_BYTES else Row(number, b"", TOO_LONG)


def _said(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return str(text)


def _other(value: Any) -> Any:
    """Dates and amounts as text; of anything else only its type, which nothing takes for text."""
    kind = type(value)
    return str(value) if kind.__module__ in _AS_TEXT else {"type": kind.__name__}


def plain(value: Any) -> Any:
    """The value as JSON has it. Bytes become ``{"bytes": N}``, which nothing takes for text.

    Nulls of objects are left out: a table has every key of a column in every row, and null where a row lacks it.
    """
    kind = type(value)
    if kind is str or kind is int or kind is float or kind is bool:
        return value
    if kind is dict:
        return {
            key if type(key) is str else str(key): plain(child)
            for key, child in value.items()
            if child is not None
        }
    if kind is JsonText:
        return _said(value)
    if isinstance(value, (list, tuple)):
        return [plain(child) for child in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": len(value)}
    return value


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_other)
