"""Rows of Parquet and Arrow files, a few at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...shapes import JsonObject
from .marking import json_marker
from .needs import parquet, pyarrow
from .row import Row, from_values
from .streams import ARROW, head

AT_ONCE = 16  # rows that are held at a time: dictionaries expand a small file to long rows

# Arrow does not check its texts, and its dates have a larger range than Python's.
UNREADABLE = (ValueError, OverflowError)


def readable(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    """The rows, with pyarrow's errors as OSErrors, and likewise the ValueErrors of column names that are not text."""
    error = pyarrow(path).ArrowException
    try:
        yield from rows
    except (error, ValueError) as damage:
        raise OSError(str(damage)) from damage


def parquet_rows(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file. Raises what pyarrow raises where it is damaged."""
    with parquet(path).ParquetFile(str(path), buffer_size=1 << 20, pre_buffer=False) as file:
        number = 0
        for batch in file.iter_batches(batch_size=AT_ONCE, use_threads=False):
            yield from _rows(batch, number)
            number += batch.num_rows


def arrow_rows(paths: list[Path]) -> Iterator[Row]:
    """The rows of Arrow files or streams, one file after another. Raises what pyarrow raises where one is damaged."""
    number = 0
    for path in paths:
        for whole in _batches(path):
            _require_sound(whole)
            for start in range(0, whole.num_rows, AT_ONCE):
                batch = whole.slice(start, AT_ONCE)
                yield from _rows(batch, number)
                number += batch.num_rows


def _batches(path: Path) -> Iterator[Any]:
    arrow = pyarrow(path)
    with arrow.memory_map(str(path)) as source:
        if head(path).startswith(ARROW):
            with arrow.ipc.open_file(source) as file:
                for index in range(file.num_record_batches):
                    yield file.get_batch(index)
        else:
            with arrow.ipc.open_stream(source) as stream:
                yield from stream


def _require_sound(batch: Any) -> None:
    """Raises ArrowInvalid where offsets of a mapped batch point outside it: reading those would crash the process.

    Texts that are not UTF-8 are let through: each is a problem of its row.
    """
    arrow = sys.modules["pyarrow"]
    try:
        batch.validate(full=True)
    except arrow.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        for column in batch.columns:
            column.view(_as_bytes(column.type, arrow)).validate(full=True)


def _as_bytes(kind: Any, arrow: Any) -> Any:
    """The type with bytes where it has texts."""
    types = arrow.types
    if types.is_string(kind) or types.is_large_string(kind):
        return arrow.binary() if types.is_string(kind) else arrow.large_binary()
    if types.is_list(kind) or types.is_large_list(kind):
        made = arrow.list_ if types.is_list(kind) else arrow.large_list
        return made(kind.value_field.with_type(_as_bytes(kind.value_type, arrow)))
    if types.is_struct(kind):
        return arrow.struct([field.with_type(_as_bytes(field.type, arrow)) for field in kind])
    return kind


def _rows(batch: Any, before: int) -> Iterator[Row]:
    """The rows of a batch. ``before``: how many there were before it."""
    try:
        rows = _values(batch)
    except UNREADABLE:
        for index in range(batch.num_rows):
            yield _row_alone(batch.slice(index, 1), before + index + 1)
        return
    for index, values in enumerate(rows):
        yield from_values(before + index + 1, values)


def _values(batch: Any) -> list[JsonObject]:
    rows: list[JsonObject] = batch.to_pylist()
    for field in batch.schema:
        mark = json_marker(field)
        if mark is not None:
            for row in rows:
                row[field.name] = mark(row[field.name])
    return rows


def _row_alone(batch: Any, number: int) -> Row:
    try:
        return from_values(number, _values(batch)[0])
    except UnicodeDecodeError:
        return Row(number, b"", "holds text that is not UTF-8")
    except UNREADABLE as error:
        return Row(number, b"", f"holds a value that cannot be read ({error})")
