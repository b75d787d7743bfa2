"""A rank also ends with its launcher during start-up, before it has a guard that watches the launcher."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from .cause import LAUNCHER_PID, Cause
from .others import Other, launcher_by_command
from .telling import end_now

PR_SET_PDEATHSIG = 1  # Linux's <sys/prctl.h>


def tie(rank: int) -> None:
    """From now on the system kills this process when its parent ends, if that is a launcher. If the launcher has already
    ended, so does this process."""
    launcher = os.environ.get(LAUNCHER_PID)
    if launcher is None and launcher_by_command() is None:
        return
    _prctl(signal.SIGKILL)
    if launcher is not None and Other(int(launcher)).has_ended():
        reason = f"the launcher of this node (process {launcher}) ended while this rank started"
        end_now(Cause.of(rank, "lost", reason), rank)


def untie() -> None:
    """From now on the guard watches the launcher."""
    _prctl(0)


def _prctl(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
