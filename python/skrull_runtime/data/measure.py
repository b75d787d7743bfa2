"""The samples of a data file in one table: where their tokens are, how many, and how many the loss counts."""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import UserError
from ..shapes import JsonObject
from .compare import served_otherwise
from .layouts import Ledger
from .tokenised.blocks import Block
from .tokenised.columns import DamagedTable, Table, write_table
from .tokenised.files import FileReading, KnownFile
from .tokenised.store import digest
from .tokenised.tokenise import METHODS, PROBLEMS_KEPT
from .tokenised.work import Pool
from .view import View

MEASURING_VERSION = 1  # changes when the same tables give another measurement
COLUMNS = {
    "block": "I",  # number of the table in the list of blocks
    "row": "I",  # of that table
    "line": "I",  # of the file
    "length": "I",  # tokens that are kept
    "supervised": "I",  # targets of the loss among them
    "full": "I",  # tokens before truncation
    "turns": "I",  # answers
    "check": "I",
    "content": "Q",
}
Progress = Callable[[int], None]  # bytes of the file that are done


class TableMissing(UserError):
    """A block's table is missing, or was damaged and has been removed."""


@dataclass(frozen=True)
class Part:
    """One of several machines that fill a store together: number ``index`` of ``count``, from 0."""

    index: int = 0
    count: int = 1

    def has(self, block: int) -> bool:
        """Whether this machine makes the block of that number."""
        return block % self.count == self.index


def fill_store(path: Path, pool: Pool, progress: Progress, part: Part = Part()) -> KnownFile:
    """Makes the tables of a file that the store lacks. Raises UserError where the file cannot be read, or a table cannot be
    kept."""
    tools, reading = pool.tools, FileReading(path, pool.cache)
    known = reading.known()
    if known is not None and all(tools.has(block.sha256) for block in known.blocks):
        return known
    done = 0
    wanted: set[str] = set()  # a block that occurs twice in a file is made once

    def missing() -> Iterator[Block]:
        nonlocal done
        for number, block in enumerate(reading.blocks()):
            if tools.has(block.sha256) or block.sha256 in wanted or not part.has(number):
                done += block.bytes
                progress(done)
            else:
                wanted.add(block.sha256)
                yield block

    for block in pool.make(missing()):
        done += block.bytes
        progress(done)
    return reading.finish()


def measurement(path: Path, known: KnownFile, pool: Pool, view: View) -> Path:
    """Where the table of a file's samples is; it is made if need be. The store must have the tables of all blocks.

    Raises TableMissing where it does not, and UserError where the table cannot be kept.
    """
    tools = pool.tools
    blocks = [tools.store.key(block.sha256, tools.settings) for block in known.blocks]
    firsts = [block.first for block in known.blocks]
    name = digest(MEASURING_VERSION, known.sha256, blocks, firsts, view.supervise, view.limit)
    place = pool.cache / "measurements" / f"{name}.safetensors"
    if not _is_sound(place):
        if damaged := [key for key in blocks if tools.store.get(key) is None]:
            for key in damaged:
                tools.store.discard(key)
            raise TableMissing(f"{path}: its tokens are not all made yet")
        made = _Measurement(view)
        for number, (key, block) in enumerate(zip(blocks, known.blocks, strict=True)):
            table = tools.store.get(key)
            assert table is not None
            made.add(number, block.first, table)
        about = {
            "sha256": known.sha256,
            "bytes": known.bytes,
            "blocks": blocks,
            "difference": served_otherwise(path, tools),
        }
        write_table(place, made.columns, {**about, **made.description()})
    return place


def _is_sound(place: Path) -> bool:
    try:
        Table(place)
        return True
    except (FileNotFoundError, DamagedTable):
        return False


class _Measurement:
    def __init__(self, view: View):
        self.columns = {name: array(code) for name, code in COLUMNS.items()}
        self._view = view
        self._ledger = Ledger()
        self._methods: Counter[str] = Counter()
        self._malformed = self._marked = 0
        self._problems: list[tuple[int, str]] = []

    def description(self) -> JsonObject:
        return {
            "malformed": self._malformed,
            "problems": self._problems,
            "methods": dict(sorted(self._methods.items())),
            "marked": self._marked,
            "ledger": self._ledger.to_json(),
        }

    def add(self, number: int, first: int, table: Table) -> None:
        about = table.description
        self._malformed += about["malformed"]
        room = PROBLEMS_KEPT - len(self._problems)
        self._problems += [(first + line, reason) for line, reason in about["problems"][:room]]
        self._marked += about["marked"]
        self._ledger.merge(
            Ledger.from_json([{**f, "first": first + f["first"]} for f in about["ledger"]])
        )
        self._add_samples(number, first, table)

    def _add_samples(self, number: int, first: int, table: Table) -> None:
        view, columns = self._view, self.columns
        starts = 0
        for row, end in enumerate(table["end"]):
            full, starts = end - starts, end
            if not view.shows(table["views"][row]):
                continue
            length = view.length(full)
            self._methods[METHODS[table["method"][row]]] += 1
            columns["block"].append(number)
            columns["row"].append(row)
            columns["line"].append(first + table["line"][row])
            columns["length"].append(length)
            columns["supervised"].append(self._supervised(table, row, full, length))
            columns["full"].append(full)
            columns["turns"].append(table["turns"][row])
            columns["check"].append(table["check"][row])
            columns["content"].append(table["content"][row])

    def _supervised(self, table: Table, row: int, full: int, length: int) -> int:
        if self._view.supervise == "all":
            return max(0, length - 1)
        if length < full:
            return self._view.counted(table, row, length)
        return table[f"counted_{self._view.supervise}"][row]


class Throttle:
    """Passes on progress only a few times a second."""

    SECONDS = 0.2

    def __init__(self, tell: Progress):
        self._tell, self._next = tell, 0.0

    def __call__(self, done: int) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + self.SECONDS
            self._tell(done)
