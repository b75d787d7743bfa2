"""Before the first step: all ranks of a machine make the tables that a run needs and the machine's store lacks."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import UserError
from .index import SampleIndex
from .tokenised.files import FileReading, content_digest
from .tokenised.store import TokenStore, store_folder
from .tokenised.work import Tools, Work

LOOK = 0.2  # seconds between two looks for tables of other ranks
PATIENCE = 60.0  # seconds without a table of another rank
TELL = 10.0  # seconds between two lines about progress
Say = Callable[[str], None]


class StoreFilling:
    """Makes the tables of an index's blocks."""

    def __init__(self, index: SampleIndex, run_dir: Path):
        data = index.config
        tokenizer = data.tokenizer if data.tokenizer == "bytes" else str(run_dir / data.tokenizer)
        self._index = index
        self._work = Work(tokenizer, data.rendering, store_folder(run_dir))
        self.store = TokenStore(self._work.cache)

    def fill(self, member: int = 0, members: int = 1, say: Say = lambda _: None) -> None:
        """Makes what is missing, as one of ``members`` processes of this machine, and waits for the others' share.

        Raises UserError where the data is missing, or is not the data that the run was compiled with.
        """
        missing = self._missing()
        if not missing:
            return
        say(f"tokenising: {len(missing)} of {len(self._index.blocks)} blocks are not in the store")
        tools = self._work.tools()
        # Shares go by position in the whole list: what is missing changes while others make it.
        self._make_all(tools, set(self._distinct()[member::members]).intersection(missing))
        if left := self._awaited(missing, say):
            # Their makers are slow or have failed; if the failure's reason holds here too, this raises it.
            self._make_all(tools, left)

    def remake(self, block: int) -> None:
        """Makes one table again. Raises UserError where the data is not what the run was compiled with."""
        self.store.discard(self._index.blocks[block]["key"])
        self._make(self._work.tools(), self._index.blocks[block]["file"], {block})

    def _distinct(self) -> list[int]:
        """Numbers of the blocks, one for each content."""
        keys: dict[str, int] = {}
        for number, block in enumerate(self._index.blocks):
            keys.setdefault(block["key"], number)
        return sorted(keys.values())

    def _missing(self) -> list[int]:
        """Those of them that the store lacks."""
        blocks = self._index.blocks
        return [number for number in self._distinct() if not self.store.has(blocks[number]["key"])]

    def _make(self, tools: Tools, file: int, wanted: set[int]) -> None:
        """Makes those blocks of a file that are wanted and missing."""
        path, blocks = self._index.path(file), self._index.blocks
        if content_digest(path) != self._index.files[file]["sha256"]:
            raise UserError(f"{path}: has changed since the run was compiled; compile again")
        numbers = [number for number, block in enumerate(blocks) if block["file"] == file]
        found = FileReading(path, self._work.cache).blocks()
        left = wanted.intersection(numbers)
        for number, block in zip(numbers, found, strict=False):
            left.discard(number)
            key = tools.store.key(block.sha256, tools.settings)
            if key != blocks[number]["key"]:
                raise UserError(
                    f"{path}: this version of the engine, or of its tokenizer, makes other tokens than"
                    " the run was compiled with; compile again"
                )
            if number in wanted and not self.store.has(key):
                tools.make(block)
        if left:
            raise UserError(
                f"{path}: is read in fewer blocks than when it was compiled; compile again"
            )

    def _make_all(self, tools: Tools, wanted: set[int]) -> None:
        for file in sorted({self._index.blocks[block]["file"] for block in wanted}):
            self._make(tools, file, wanted)

    def _awaited(self, blocks: list[int], say: Say) -> set[int]:
        """Waits for the tables that others make. Returns those still missing when none has come for a while."""
        told = moved = time.monotonic()
        before = len(blocks)
        while missing := {n for n in blocks if not self.store.has(self._index.blocks[n]["key"])}:
            now = time.monotonic()
            if len(missing) < before:
                before, moved = len(missing), now
            if now - moved >= PATIENCE:
                return missing
            if now - told >= TELL:
                told = now
                say(f"tokenising: {len(blocks) - len(missing)} of {len(blocks)} blocks")
            time.sleep(LOOK)
        return set()


def own_share() -> tuple[int, int]:
    """This rank's number on its machine, and the number of ranks there."""
    member = int(os.environ.get("LOCAL_RANK", "0"))
    members = int(os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("LOCAL_SIZE") or "1")
    return (member, members) if 0 <= member < members else (0, 1)
