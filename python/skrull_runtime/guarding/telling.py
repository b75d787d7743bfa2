"""The last thing that a rank does: it reports why it ends, and exits."""

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

PRINTING = 2.0  # seconds: whoever reads the output may have stopped

_lock = threading.Lock()


def end_now(cause: Cause, rank: int) -> NoReturn:
    """Ends this process with the cause, from any thread, without waiting for the main thread or the process group."""
    _lock.acquire()  # never released: the first report counts
    tell(cause, rank)
    for worker in multiprocessing.active_children():
        worker.kill()
    os._exit(cause.code)


def or_end(run: Callable[[], None], rank: int) -> None:
    """Runs the work of a thread. A failure would go unnoticed there, so the process ends with the fault."""
    try:
        run()
    except Exception as error:
        judged = judge(error)
        print_briefly(judged.trace)
        end_now(judged.cause(rank), rank)


def tell(cause: Cause, rank: int) -> None:
    """Leaves the cause for the process that started the ranks, which reports it last; prints it if there is none. For a
    run that was stopped, rank 0 prints it on behalf of all."""
    if not _written(cause, rank) and (rank == 0 or cause.kind != "stopped"):
        print_briefly(f"{cause.line()}\n")


def print_briefly(text: str) -> None:
    """Writes to standard error, but does not wait long: a full pipe would block this process, and the news of its end."""

    def write() -> None:
        rest = text.encode(errors="replace")
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(2, rest) :]

    briefly(write)


def briefly(run: Callable[[], None]) -> None:
    """Runs it in a thread, and waits no longer than :data:`PRINTING`."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PRINTING)


def _written(cause: Cause, rank: int) -> bool:
    """Whether the process that started the ranks will report it, once and after everything else."""
    folder = os.environ.get(ENDINGS)
    if not folder:
        return False
    try:
        cause.write(Path(folder), by=rank)
        return not Other(
            int(os.environ.get(LAUNCHER_PID, 0))
        ).has_ended()  # alive, so it reads the file
    except (OSError, ValueError):
        return False
