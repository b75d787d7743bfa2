"""Parses the bytes of a row. Every row that cannot be used is a RowProblem, whatever it holds."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from ...shapes import JsonObject
from ..samples.sample import RowProblem, Sample

DEEPEST = 200  # levels of lists and objects: templates and tojson recurse
# Of a whole number; Python refuses to read much longer ones, as they take quadratic time.
MOST_DIGITS = 1000
# Of a row: each takes some 60 bytes of memory, however few bytes it has in the file.
MOST_VALUES = 10_000_000
TOO_DEEP = "is nested too deeply"
Value = TypeVar("Value")


def parse_row(content: bytes) -> JsonObject:
    """The object of a row. Raises RowProblem where it is not UTF-8, not JSON or not an object."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowProblem(f"is not UTF-8 (byte {error.start + 1})") from None
    row = parse(text)
    if not isinstance(row, dict):
        raise RowProblem("is not a JSON object")
    return row


def parse(text: str) -> Any:
    """A JSON value; NaN and infinities as Python writes them. Raises RowProblem."""
    if len(text) > MOST_VALUES and sum(map(text.count, ",[{")) > MOST_VALUES:
        raise RowProblem(f"holds more than {MOST_VALUES // 1_000_000} million values")
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        raise RowProblem(f"is not JSON ({error.msg} at character {error.pos + 1})") from None
    except RecursionError:
        raise RowProblem(TOO_DEEP) from None
    return value


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # thousands of digits
        return json.loads(text, parse_int=_number)


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)


def shallow(value: Value, name: str) -> Value:
    """The value. Raises RowProblem where it is nested deeper than a template can write."""
    level: list[Any] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return value
    raise RowProblem(f"{name} {TOO_DEEP}")


def require_text(content: bytes, sample: Sample) -> None:
    """Raises RowProblem where a text holds half of a surrogate pair, which UTF-8, and so a tokenizer, cannot encode."""
    if b"\\u" not in content or (b"\\ud" not in content and b"\\uD" not in content):
        return
    read = [sample.messages, sample.tools, sample.arguments, sample.prompt, sample.completion]
    try:
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise RowProblem(f"holds {half}, half of a surrogate pair, which is no character") from None
