"""Rows that are the items of one JSON array, found without reading the array as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from . import row
from .row import TOO_LONG, Row
from .streams import CHUNK

WHITE = b" \t\r\n"
_STRUCTURE = re.compile(rb'["\[\]{},]')


class ArrayProblem(ValueError):
    """The file does not end where its array does."""


def array_items(stream: BinaryIO) -> Iterator[Row]:
    """The items of an array, as they are written. Raises ArrayProblem where the array does not end with the file.

    At most the bytes of one item and a piece of the file are held.
    """
    scanner = _Scanner()
    number = 0
    opened = False
    while chunk := stream.read(CHUNK):
        if not opened:
            chunk = chunk.lstrip(WHITE)
            if not chunk:
                continue
            chunk, opened = chunk[1:], True  # the caller has seen the bracket
        for content in scanner.items(chunk):
            number += 1
            yield _row(number, content)
    if not scanner.closed:
        raise ArrayProblem("the JSON array has no closing bracket")


def _row(number: int, content: bytes | None) -> Row:
    if content is None:
        return Row(number, b"", TOO_LONG)
    return Row(number, content) if content else Row(number, b"", "is empty: a comma too many")


class _Scanner:
    """Finds where the items of an array end, by brackets, commas and quotes alone."""

    def __init__(self) -> None:
        self.closed = False
        self._depth = 0  # of brackets within an item
        self._in_string = False
        self._escaped = False  # the previous piece ended in a backslash that escapes what follows
        self._any = False  # there was an item
        self._held = bytearray()  # of the item, from earlier pieces
        self._too_long = False

    def items(self, chunk: bytes) -> Iterator[bytes | None]:
        """The items that end in a piece of the file; None for one that is too long."""
        start = 0
        while not self.closed:
            end = self._item_end(chunk, start)
            if end < 0:
                self._hold(chunk[start:])
                return
            self._hold(chunk[start : end - 1])
            start = end
            self.closed = chunk[end - 1 : end] == b"]"
            content = self._taken()
            if content != b"" or self._any or not self.closed:  # "[]" has no item
                self._any = True
                yield content
        if chunk[start:].strip(WHITE):
            raise ArrayProblem("the file goes on after its JSON array")

    def _hold(self, part: bytes) -> None:
        self._too_long = self._too_long or len(self._held) + len(part) > row.MOST_BYTES
        if self._too_long:
            self._held.clear()
        else:
            self._held += part

    def _taken(self) -> bytes | None:
        content = None if self._too_long else bytes(self._held.strip(WHITE))
        self._held, self._too_long = bytearray(), False
        return content

    def _item_end(self, chunk: bytes, at: int) -> int:
        """The position after the comma or bracket that ends an item; -1 where it is not in the piece."""
        while True:
            if self._in_string:
                at = self._string_end(chunk, at)
            found = _STRUCTURE.search(chunk, at) if at >= 0 else None
            if found is None:
                return -1
            at, sign = found.end(), found.group()
            if sign == b'"':
                self._in_string = True
            elif sign in (b"[", b"{"):
                self._depth += 1
            elif self._depth:
                self._depth -= sign != b","
            elif sign != b"}":
                return at

    def _string_end(self, chunk: bytes, at: int) -> int:
        """The position after the quote that ends the string; -1 where it is not in the piece."""
        if self._escaped:
            at, self._escaped = at + 1, False
        while (quote := chunk.find(b'"', at)) >= 0:
            if not _escapes(chunk, at, quote):
                self._in_string = False
                return quote + 1
            at = quote + 1
        self._escaped = _escapes(chunk, at, len(chunk))
        return -1


def _escapes(chunk: bytes, start: int, end: int) -> bool:
    """Whether the character at ``end`` is escaped by the backslashes before it, counted from ``start``."""
    first = end
    while first > start and chunk[first - 1] == 0x5C:
        first -= 1
    return (end - first) % 2 == 1
