"""One owner at a time for a run's output: two runs that write to it would mix their metrics and checkpoints."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import IO, TypedDict, cast

from ..errors import UserError
from ..guarding.others import start_of

UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL}
_held: list[IO[str]] = []  # the system releases a lock when its file is closed or the process ends


class Owner(TypedDict, total=False):
    """What an owner writes into its lock file."""

    host: str
    pid: int
    since: str  # local time, for people
    started: str | None  # the process, by the system's own count


def hold(output: Path, wait: float) -> None:
    """Makes this process the owner of an output folder until it ends, however it ends.

    The lock is a POSIX record lock on the file ``<output>.lock`` beside the folder. The system releases it when its owner
    ends, even if it is killed, and no forked process inherits it. An owner that is just ending gets ``wait`` seconds.
    Raises UserError where another process owns the folder, and OSError where the file cannot be written. On a file system
    without locks, which is reported, only a living owner on the same machine is noticed.
    """
    path = output.with_name(f"{output.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+")
    deadline = time.monotonic() + wait
    while (taken := _locked(file)) is False:
        if time.monotonic() > deadline:
            raise UserError(_refusal(output, _owner(file)))
        time.sleep(0.1)
    if taken is None:
        _without_locks(output, _owner(file))
    _sign(file)
    _held.append(file)


def _locked(file: IO[str]) -> bool | None:
    """Whether this process has the lock now; None where the file system has none."""
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in UNSUPPORTED:
            return None
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def _without_locks(output: Path, owner: Owner) -> None:
    here = owner.get("host") == socket.gethostname()
    if here and start_of(owner.get("pid", 0)) == owner.get("started", ""):
        raise UserError(_refusal(output, owner))
    print(
        f"note: the file system of {output} has no locks: do not start this run a second time while it runs",
        flush=True,
    )


def _refusal(output: Path, owner: Owner) -> str:
    since = owner.get("since", "an unknown time")
    return (
        f"{output}: another run writes to it: process {owner.get('pid', 'unknown')} on"
        f" {owner.get('host', 'an unknown host')}, started at {since}. Wait for its end or end it, or compile into"
        " another folder"
    )


def _owner(file: IO[str]) -> Owner:
    """What the owner has written; empty where it has not written yet."""
    file.seek(0)
    try:
        owner = json.loads(file.read())
    except (OSError, ValueError):
        return {}
    return cast(Owner, owner) if isinstance(owner, dict) else {}


def _sign(file: IO[str]) -> None:
    own: Owner = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "started": start_of(os.getpid()),
    }
    file.seek(0)
    file.truncate()
    file.write(json.dumps(own) + "\n")
    file.flush()
