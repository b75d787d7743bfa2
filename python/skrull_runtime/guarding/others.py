"""Other processes that a rank depends on: their end is noticed without being their parent."""

from __future__ import annotations

import os
import signal
from pathlib import Path


class Other:
    """A process to watch. Where the system offers it, ``descriptor`` becomes readable when the process ends."""

    def __init__(self, pid: int):
        self.pid = pid
        self._started = start_of(pid)
        try:
            self.descriptor: int | None = os.pidfd_open(pid)
        except (AttributeError, OSError):  # an old system, one without it, or the process has ended
            self.descriptor = None

    def has_ended(self) -> bool:
        """Whether it has ended, even if a later process has taken its number."""
        state = _state_of(self.pid)
        return state is None or state == "Z" or start_of(self.pid) != self._started

    def signal_of_end(self) -> str | None:
        """The name of the signal that ended it; None where there was none or it is unknown. It is known only on Linux, and
        only for a child that nobody has waited for yet."""
        if self.descriptor is None:
            return None
        try:
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            ended = os.waitid(os.P_PIDFD, self.descriptor, how)
        except (AttributeError, OSError):
            return None
        if ended is None or ended.si_code == os.CLD_EXITED:
            return None
        return signal.Signals(ended.si_status).name


def launcher_by_command() -> int | None:
    """This process's parent if that is a launcher of torch or DeepSpeed, which ranks must not outlive; otherwise None."""
    parent = os.getppid()
    try:
        command = Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        command = b""
    launchers = (b"torch.distributed.run", b"torchrun", b"deepspeed")
    known = any(name in command for name in launchers) or "TORCHELASTIC_RUN_ID" in os.environ
    return parent if known and parent > 1 else None


def _state_of(pid: int) -> str | None:
    found = _fields_of(pid)
    if found is None:
        return None
    return found[0] if found else "?"


def start_of(pid: int) -> str | None:
    """When a process on this machine was started, in the system's own count; None where that is not known."""
    found = _fields_of(pid)
    return found[19] if found else None


def _fields_of(pid: int) -> list[str] | None:
    """The fields of /proc after the name; empty where the process exists but /proc does not, None where neither does."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return []
    return [] if not Path("/proc/self/stat").exists() else None
