"""JSON files of a run, checked against their schema before anything in them is believed."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from .errors import UserError
from .schema import problem_in, shown

ANEW = "compile again"


def read_document(path: Path, schema: str, advice: str = ANEW) -> Any:
    """The parsed file. Raises UserError, with file, place and reason, where it is not of the contract's schema."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
    document, problem = parsed(content, schema)
    if problem is not None:
        raise UserError(f"{path}: {problem}; {advice}")
    return document


def parsed(content: bytes | str, schema: str) -> tuple[Any, str | None]:
    """A document of the contract's schema; else None, and what is wrong with it."""
    try:
        document = json.loads(content, parse_float=_number, parse_constant=_no_constant)
    except (
        ValueError,
        RecursionError,
    ) as error:  # also digits without end, and bytes that are no text
        return None, f"is not JSON ({error})"
    problem = problem_in(document, schema)
    return (document, None) if problem is None else (None, problem)


def _number(text: str) -> int | float:
    """Whole numbers are integers, however they are written: 5e8 is a bucket size like any other."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def outside(path: str) -> str | None:
    """Why a relative path of a document cannot be followed; None where it stays inside of its folder."""
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        return f"{shown(path)} leaves the folder that it is relative to"
    return f"{shown(path)} cannot be a path" if "\0" in path else None
