"""The last thing that a rank does: it says why it ends, and is gone."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from .cause import ENDINGS, LAUNCHER_PID, Cause
from .others import Other
from .reasons import judge

PRINTING = 2.0  # seconds: whoever should read the output may have stopped to

_lock = threading.Lock()


def end_now(cause: Cause, rank: int) -> NoReturn:
    """Ends this process with the cause, from any thread and with nothing that could wait for others: not for the main
    thread, nor for the process group."""
    _lock.acquire()  # for good: what is told first counts
    tell(cause, rank)
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(cause.code)


def or_end(run: Callable[[], None], rank: int) -> None:
    """Runs what a thread is for. Where that fails nobody would notice, so the process ends with the fault."""
    try:
        run()
    except Exception as error:
        judged = judge(error)
        print_briefly(judged.trace)
        end_now(judged.cause(rank), rank)


def tell(cause: Cause, rank: int) -> None:
    """Leaves the cause with the process that started the ranks, which tells it last; says it where there is none. Of a
    run that was stopped, rank 0 says so for all."""
    if not _written(cause, rank) and (rank == 0 or cause.kind != "stopped"):
        print_briefly(f"{cause.line()}\n")


def print_briefly(text: str) -> None:
    """Writes to standard error, unless nobody reads it: a full pipe would hold this process, and the news of its end."""

    def write() -> None:
        rest = text.encode(errors="replace")
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(2, rest) :]

    briefly(write)


def briefly(run: Callable[[], None]) -> None:
    """Waits for it no longer than :data:`PRINTING`."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PRINTING)


def _written(cause: Cause, rank: int) -> bool:
    """Whether the process that started the ranks will tell it, once and after everything else."""
    folder = os.environ.get(ENDINGS)
    if not folder:
        return False
    try:
        cause.write(Path(folder), by=rank)
        return not Other(int(os.environ.get(LAUNCHER_PID, 0))).has_ended()  # is there, and reads it
    except (OSError, ValueError):
        return False
