"""The processes that this one has started, also through others: the only ones that it ever signals."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable

import psutil

# From Linux's <sys/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """What a process started by this one leaves behind becomes this one's child (Linux; elsewhere it stays an orphan)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """SIGTERM comes to this process when its parent, of that id, has ended (Linux)."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has ended already
        os.kill(os.getpid(), signal.SIGTERM)


def children(process: int) -> list[psutil.Process]:
    """Those that it has started itself; none where it has ended."""
    try:
        return psutil.Process(process).children()
    except psutil.NoSuchProcess:
        return []


def descendants() -> list[psutil.Process]:
    """All that this process has started, also through others, and that have not ended."""
    return [process for process in psutil.Process().children(recursive=True) if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended: one that only waits to be asked for its exit code has."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def send(number: int, processes: Iterable[psutil.Process]) -> None:
    """A signal to each that still runs: psutil makes sure that no other process has its id by now."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def kill_all(patience: float = 5.0) -> None:
    """Ends every descendant, those that are started meanwhile too. Waits at most so many seconds for their end."""
    deadline = time.monotonic() + patience
    while (left := descendants()) and time.monotonic() < deadline:
        send(signal.SIGKILL, left)
        psutil.wait_procs(left, timeout=0.1)
