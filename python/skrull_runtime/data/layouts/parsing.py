"""A row's bytes to its JSON object. Every row that cannot be used is a RowProblem, whatever it holds."""

from __future__ import annotations

import json
from typing import Any

from ..samples.sample import RowProblem, Sample

DEEPEST = 200  # lists and objects inside of each other: templates and tojson recurse
MOST_DIGITS = (
    1000  # of a whole number; Python refuses to read longer ones, as they take quadratic time
)
MOST_VALUES = (
    10_000_000  # of a row: each takes some 60 bytes of memory, however few it has in the file
)
TOO_DEEP = "is nested too deeply"


def parse_row(content: bytes) -> dict[str, Any]:
    """The object of a row. Raises RowProblem."""
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


def shallow(value: Any, name: str) -> Any:
    """The value. Raises RowProblem where it is nested deeper than a template can write."""
    level = [value] if isinstance(value, (dict, list)) else []
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
    """Raises RowProblem where a text holds half of a surrogate pair, which UTF-8, and so a tokenizer, cannot take."""
    if b"\\u" not in content or (b"\\ud" not in content and b"\\uD" not in content):
        return
    read = [sample.messages, sample.tools, sample.arguments, sample.prompt, sample.completion]
    try:
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise RowProblem(f"holds {half}, half of a surrogate pair, which is no character") from None
