"""The processes that this one has started, directly or through others: the only ones that it ever signals."""

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
    """Makes processes that a child leaves behind this process's children (on Linux; elsewhere they stay orphans)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(parent: int) -> None:
    """Has the system send SIGTERM to this process when its parent, process ``parent``, has ended (on Linux)."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it has already ended
        os.kill(os.getpid(), signal.SIGTERM)


def children(process: int) -> list[psutil.Process]:
    """The processes that a process has started itself; none where it has ended."""
    try:
        return psutil.Process(process).children()
    except psutil.NoSuchProcess:
        return []


def descendants() -> list[psutil.Process]:
    """All processes that this one has started, directly or through others, and that have not ended."""
    return [process for process in psutil.Process().children(recursive=True) if is_alive(process)]


def is_alive(process: psutil.Process) -> bool:
    """Whether a process has not ended; one that only waits for its exit code to be collected has."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def send(number: int, processes: Iterable[psutil.Process]) -> None:
    """Sends a signal to each process that still runs: psutil makes sure that no other process has taken its id."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def kill_all(patience: float = 5.0) -> None:
    """Ends every descendant, including those started meanwhile. Waits at most ``patience`` seconds for their end."""
    deadline = time.monotonic() + patience
    while (left := descendants()) and time.monotonic() < deadline:
        send(signal.SIGKILL, left)
        psutil.wait_procs(left, timeout=0.1)
