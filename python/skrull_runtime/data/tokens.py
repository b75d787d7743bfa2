"""The tokens of a run's samples, from the store, checked against what was compiled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UserError
from .filling import StoreFilling
from .index import SampleIndex
from .tokenised.columns import Table
from .tokenised.tokenise import check_of
from .view import View, spans_of

IGNORED = -100
MOST_OPEN = 256  # mapped tables: each takes a descriptor


class Tokens(NamedTuple):
    """The token ids of a sample, and for each the next token where the loss counts it, otherwise -100."""

    ids: Sequence[int] | NDArray[np.int64]
    labels: Sequence[int] | NDArray[np.int64]


class SampleTokens:
    """The tokens of the samples of an index; its tables are mapped when they are first needed."""

    def __init__(self, index: SampleIndex, filling: StoreFilling):
        self._index, self._store, self._filling = index, filling.store, filling
        config = index.config
        limit = config.max_length if config.overlong == "truncate" else None
        self._view = View(config.supervise, limit)
        self._tables: OrderedDict[int, Table] = OrderedDict()

    def tokens(self, sample: int) -> Tokens:
        """The tokens of a sample. Raises UserError where they cannot be made, or are not those that were compiled."""
        columns = self._index.columns
        block, row = columns["block"][sample], columns["row"][sample]
        table = self._tables.get(block)
        if table is None or not self._is_sound(table, row, sample):
            table = self._sound_table(block, row, sample)
        self._tables.move_to_end(block)
        return self._read(table, row)

    def _sound_table(self, block: int, row: int, sample: int) -> Table:
        key = self._index.blocks[block]["key"]
        table = self._store.get(key)
        if table is None or not self._is_sound(table, row, sample):
            self._filling.remake(block)  # truncated, damaged or removed during the run
            table = self._store.get(key)
        if table is None or not self._is_sound(table, row, sample):
            place = self._index.place(sample)
            raise UserError(f"{place}: its tokens are not those that were compiled; compile again")
        self._tables[block] = table
        if len(self._tables) > MOST_OPEN:
            self._tables.popitem(last=False)
        return table

    def _is_sound(self, table: Table, row: int, sample: int) -> bool:
        """Whether a row exists and has the checksum, the length and the targets that were compiled."""
        columns = self._index.columns
        if row >= len(table["end"]):
            return False
        start, end = _range(table["end"], row)
        first, last = _range(table["span_end"], row)
        check = check_of(table["ids"][start:end], table["spans"][3 * first : 3 * last])
        length = self._view.length(end - start)
        return (
            check == columns["check"][sample]
            and length == columns["length"][sample]
            and self._view.counted(table, row, length) == columns["supervised"][sample]
        )

    def _read(self, table: Table, row: int) -> Tokens:
        start, end = _range(table["end"], row)
        length = self._view.length(end - start)
        ids = np.frombuffer(table["ids"][start : start + length], np.uint32).astype(np.int64)
        labels = np.full_like(ids, IGNORED)
        for span in self._view.seen(spans_of(table, row), length):
            first = max(span.start, 1)
            labels[first - 1 : span.end - 1] = ids[first : span.end]
        return Tokens(ids, labels)


def _range(ends: memoryview[int], row: int) -> tuple[int, int]:
    return ends[row - 1] if row else 0, ends[row]
