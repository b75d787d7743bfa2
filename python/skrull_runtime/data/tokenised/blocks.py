"""Rows in blocks of some megabytes whose ends depend on the content, so that an insertion in a file moves no other block."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ..readers import Row

LEAST, MOST = 2 << 20, 16 << 20  # bytes
BEYOND = 4 << 20  # bytes that a block has on average beyond the least


@dataclass(frozen=True)
class Block:
    """Consecutive rows of one file."""

    rows: list[Row]
    bytes: int

    @cached_property
    def sha256(self) -> str:
        """Of the rows and of the gaps between their numbers, not of their place in the file."""
        digest = hashlib.sha256()
        before = self.first - 1
        for row in self.rows:
            content = row.content if row.problem is None else f"! {row.problem}".encode()
            # With its length: items of an array may hold newlines.
            digest.update(f"{row.number - before} {len(content)}\n".encode())
            digest.update(content)
            before = row.number
        return digest.hexdigest()

    @property
    def first(self) -> int:
        """The number of its first row."""
        return self.rows[0].number


def blocks_of(rows: Iterable[Row]) -> Iterator[Block]:
    """Every row, in order, in blocks of ``LEAST`` to ``MOST`` bytes, or of one larger row; the last may be smaller."""
    held: list[Row] = []
    size = 0
    for row in rows:
        length = len(row.content) + 1
        if held and size + length > MOST:
            yield Block(held, size)
            held, size = [], 0
        held.append(row)
        size += length
        # Equally likely for every byte, so that ends depend neither on the file nor on the sizes of rows.
        if size >= LEAST and zlib.crc32(row.content) * BEYOND < length << 32:
            yield Block(held, size)
            held, size = [], 0
    if held:
        yield Block(held, size)
