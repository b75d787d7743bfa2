"""Data files of any format as rows: the bytes of one JSON object each. Data sets of a hub are in ``hub``."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from ...errors import UserError
from .array import WHITE, ArrayProblem, array_items
from .files import data_files, is_saved, kind, saved_files
from .lines import json_lines
from .row import MOST_BYTES, Row
from .streams import ARROW, CHUNK, DAMAGE, PARQUET, STREAM, damaged, head, opened

__all__ = ["MOST_BYTES", "Row", "data_files", "open_rows"]

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


def open_rows(path: Path) -> Iterator[Row]:
    """The rows of a file, or of a folder that ``save_to_disk`` wrote; only a few are held at a time.

    Rows of JSON are passed on unchanged: layouts check whether they are UTF-8 and JSON. A row that cannot be used states
    its problem. Raises UserError where the file cannot be read to its end.
    """
    number = 0
    try:
        for row in _rows(path):
            number = row.number
            yield row
    except UserError as error:
        said = str(error)
        raise error if said.startswith(str(path)) else UserError(f"{path}: {said}") from None
    except ArrayProblem as problem:
        raise UserError(f"{path}: {problem} (after item {number})") from None
    except DAMAGE as error:
        raise damaged(path, number, error) from error


def _rows(path: Path) -> Iterator[Row]:
    if path.is_dir():
        if not is_saved(path):
            raise UserError(f"{path}: is a folder, and not one that save_to_disk wrote")
        return _columnar(path, saved_files(path))
    first = head(path)
    if first.startswith(PARQUET):
        return _columnar(path, None)
    if first.startswith((ARROW, STREAM)):
        return _columnar(path, [path])
    if path.suffix.lower() in (".parquet", ".arrow"):
        what = "Parquet" if path.suffix.lower() == ".parquet" else "Arrow"
        raise UserError(f"{path}: is not {what}, as its name says")
    return _text_rows(path)


def _columnar(path: Path, arrow: list[Path] | None) -> Iterator[Row]:
    """The rows of Arrow files, or of a Parquet file."""
    from .columnar import arrow_rows, parquet_rows, readable

    return readable(path, parquet_rows(path) if arrow is None else arrow_rows(arrow))


def _text_rows(path: Path) -> Iterator[Row]:
    with opened(path) as stream:
        separator = _SEPARATORS.get(kind(path.name))
        if separator is not None:
            from .separated import separated_rows

            yield from separated_rows(stream, separator)
        elif _first_sign(stream) == b"[":
            yield from array_items(stream)
        else:
            yield from json_lines(stream)


def _first_sign(stream: io.BufferedReader) -> bytes:
    """The first character after white space, within what the stream has already buffered."""
    return stream.peek(CHUNK).lstrip(WHITE)[:1]
