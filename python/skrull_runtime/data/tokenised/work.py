"""Turns blocks into tables in the store, on several processors at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from ...contract.records import Rendering
from ...errors import UserError
from ..layouts import layout_of
from ..templating import LoadedTokenizer, Renderer, load_tokenizer
from .blocks import Block
from .store import TokenStore, settings_digest
from .tokenise import tokenise


@dataclass(frozen=True)
class Work:
    """What makes tokens of a block, the same in every process."""

    tokenizer: str  # "bytes", or a path
    rendering: Rendering
    cache: Path

    def tools(self) -> Tools:
        """The tools for it. Raises UserError where the tokenizer or the template cannot be used."""
        return Tools(self, load_tokenizer(self.tokenizer))


class Tools:
    """A loaded tokenizer, a compiled template and the store."""

    def __init__(self, work: Work, tokenizer: LoadedTokenizer):
        self.tokenizer, self.rendering = tokenizer, work.rendering
        self.renderer = Renderer(tokenizer, work.rendering)
        self.layout = layout_of(work.rendering)
        self.store = TokenStore(work.cache)
        template = self.renderer.facts()["sha256"]
        self.settings = settings_digest(tokenizer.sha256, template, work.rendering)

    def has(self, block_sha256: str) -> bool:
        """Whether the store has the table of a block with this content."""
        return self.store.has(self.store.key(block_sha256, self.settings))

    def make(self, block: Block) -> None:
        """Tokenises a block and keeps the table. Raises UserError where it cannot be kept."""
        self.store.put(
            self.store.key(block.sha256, self.settings), tokenise(block, self.layout, self.renderer)
        )


class Pool:
    """Processes that tokenise; where only one is wanted, it is this one. Must be closed."""

    def __init__(self, work: Work, processes: int):
        self.tools, self.cache = work.tools(), work.cache
        self._most = processes + 1  # blocks that are held at a time
        self._pool = _started(self.tools, work, processes) if processes > 1 else None

    def make(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Makes the tables of these blocks, and yields each block once its table is kept."""
        if self._pool is None:
            for block in blocks:
                self.tools.make(block)
                yield block
            return
        waiting: dict[Future[None], Block] = {}
        try:
            for block in blocks:
                while len(waiting) >= self._most:
                    yield from _finished(waiting)
                waiting[self._pool.submit(_make, block)] = block
            while waiting:
                yield from _finished(waiting)
        except BrokenProcessPool as error:
            raise UserError(
                "a process that tokenises was ended from outside; was memory short?"
            ) from error

    def close(self) -> None:
        """Ends the processes, whatever they are doing."""
        if self._pool is not None:
            for process in list((self._pool._processes or {}).values()):
                process.kill()
            self._pool.shutdown(wait=True, cancel_futures=True)


def _finished(waiting: dict[Future[None], Block]) -> Iterator[Block]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        block = waiting.pop(future)
        future.result()
        yield block


_tools: Tools | None = None  # of this process


def _started(tools: Tools, work: Work, processes: int) -> ProcessPoolExecutor:
    """A pool of processes, forked where that is safe, so that all share the memory of one tokenizer."""
    global _tools
    # The library's threads would not survive a fork.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    forks = sys.platform == "linux"
    context = multiprocessing.get_context("fork" if forks else "spawn")
    _tools = tools if forks else None
    return ProcessPoolExecutor(processes, context, _prepare, (work,))


def _prepare(work: Work) -> None:
    global _tools
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    if _tools is None:
        _tools = work.tools()


def _end_with_the_engine() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make(block: Block) -> None:
    assert _tools is not None
    _tools.make(block)
