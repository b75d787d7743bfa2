"""What an exception says about the end of a run: who is at fault, and the line that the user should read."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import FaultElsewhere, ToldByAnother, UserError
from . import place
from .cause import Cause, Kind

FAULT = "a fault of skrull or of a library that it uses, not of your spec"
LOST_RANK = re.compile(
    r"gloo/|remote (process|error|server)|ncclRemoteError|by peer|Broken pipe|Watchdog|Connection was likely closed"
)
MISMATCHED = re.compile(r"preamble|\bmismatch", re.IGNORECASE)  # ranks issue different collectives
TIMED_OUT = re.compile(r"timed? ?out", re.IGNORECASE)
LOST_WORKER = re.compile(r"DataLoader worker \(pid\(?s?\)? [\d, ]+\).*")  # torch's
SLOW_WORKER = re.compile(r"DataLoader timed out after ([\d.]+) seconds")
DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EFBIG: "the file would be larger than the system allows (ulimit -f)",
    errno.EIO: "the disk reports an input/output error",
    errno.ESTALE: "the network disk has lost it (stale file handle)",
}
OS_ERROR = re.compile(r"os error (\d+)")  # in messages of safetensors


class StoppedEarly(BaseException):
    """SIGTERM came before there was anything to save."""


@dataclass(frozen=True)
class Judgement:
    """The kind and the line of an exception. ``trace``: what to print for a fault; ``primary``: as in ``Cause``."""

    kind: Kind
    reason: str
    primary: bool = True
    trace: str = ""

    def cause(self, rank: int) -> Cause:
        """The cause of this process's end."""
        return Cause.of(rank, self.kind, self.reason, self.primary)


def judge(error: BaseException) -> Judgement:
    """Tells users' mistakes, by their class, and ends of other processes from faults, which keep their traceback."""
    if isinstance(error, KeyboardInterrupt):
        return Judgement("interrupted", "interrupted")
    if isinstance(error, StoppedEarly):
        return Judgement("stopped", "stopped by SIGTERM before a step was trained: nothing is lost")
    if isinstance(error, UserError):
        return Judgement("user", str(error), primary=not isinstance(error, ToldByAnother))
    if isinstance(error, FaultElsewhere):
        return Judgement("fault", fault_line(str(error)), error.primary, error.trace)
    # A library may be interrupted anywhere, and raise an exception of its own.
    for each in _chain(error):
        if found := _of_another_process(each):
            return found
    if found := _of_the_system(error):
        return found
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
    return Judgement("fault", fault_line(said), trace="".join(traceback.format_exception(error)))


def fault_line(said: str) -> str:
    """The line of a fault."""
    return f"{said} ({FAULT}; its traceback is in this rank's output)"


def is_symptom(error: BaseException) -> bool:
    """Whether an exception only shows that another rank has failed or keeps this one waiting."""
    return not judge(error).primary


def disk_problem(error: BaseException) -> str | None:
    """What is wrong with the disk, in words, if that is the reason; otherwise None."""
    for each in _chain(error):
        number = each.errno if isinstance(each, OSError) else None
        if number is None and (found := OS_ERROR.search(str(each))):
            number = int(found[1])
        if number in DISK:
            file = getattr(each, "filename", None)
            return f"{file}: {DISK[number]}" if file else DISK[number]
    return None


def _of_another_process(error: BaseException) -> Judgement | None:
    """Ends of other processes are recognised by torch's messages: it has no classes for them."""
    text = str(error)
    if found := LOST_WORKER.search(text):
        return Judgement(
            "user",
            f"the process that makes this rank's batches has ended ({found[0].strip()});"
            " the system kills processes like this when it runs out of memory",
        )
    if found := SLOW_WORKER.search(text):
        return Judgement(
            "user",
            f"the process that makes this rank's batches made none for {found[1]} s: it is frozen, or waits for a disk",
        )
    if MISMATCHED.search(text) and "by peer" not in text:
        return None
    names = {each.__name__ for each in type(error).__mro__}
    distributed = "DistError" in names
    if not (LOST_RANK.search(text) and isinstance(error, RuntimeError)) and not (
        distributed and TIMED_OUT.search(text)
    ):
        return None
    first = text.strip().splitlines()[0]
    if TIMED_OUT.search(text):
        reason = f"timed out waiting for other ranks at {place.current()} ({first})"
    else:
        reason = f"another rank has ended, and its output says why ({first})"
    return Judgement("lost", reason, primary=False)


def _of_the_system(error: BaseException) -> Judgement | None:
    if isinstance(error, BrokenPipeError):
        return Judgement("user", "nothing reads this run's output any more (broken pipe)")
    found = disk_problem(error)
    return None if found is None else Judgement("user", found)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
