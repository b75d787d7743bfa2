"""Rows that are lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ...errors import UserError
from . import row
from .row import TOO_LONG, Row

SKIPPED = 1 << 20  # bytes of a long line that are held at a time while it is skipped

INDENTED = (
    "is an object over several lines; rows are objects of one line each, or items of an array"
)


def lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Numbers and bytes of the lines, with their line ends; None for a line that is too long, which is skipped.

    At most the bytes of one line are held.
    """
    number = 0
    while line := stream.readline(row.MOST_BYTES + 2):
        number += 1
        # The line end is not part of the row.
        if len(line) <= row.MOST_BYTES or len(line.rstrip(b"\r\n")) <= row.MOST_BYTES:
            yield number, line
            continue
        whole = line.endswith(b"\n")
        del line
        while not whole and (rest := stream.readline(SKIPPED)):
            whole = rest.endswith(b"\n")
        yield number, None


def json_lines(stream: BinaryIO) -> Iterator[Row]:
    """The rows of a file of lines, unchanged but without their line ends. Blank lines are left out.

    Raises UserError where the first line only opens an object.
    """
    any_row = False
    for number, line in lines(stream):
        if line is None:
            yield Row(number, b"", TOO_LONG)
        elif content := line.strip(b" \t\r\n"):
            if content == b"{" and not any_row:
                raise UserError(INDENTED)
            any_row = True
            yield Row(number, content)
