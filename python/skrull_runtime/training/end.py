"""The end of a program on this rank: it states the reason, and does not wait for ranks that may never arrive."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

import torch.distributed as dist

from ..batches.feed import stop_workers
from ..contract.exit_codes import STOPPED
from ..guarding import guard
from ..guarding.cause import ENDINGS, Cause, forget
from ..guarding.reasons import FAULT, StoppedEarly, judge
from ..guarding.telling import briefly, end_now, print_briefly, tell
from ..guarding.tied import tie


class Stopped(SystemExit):
    """All ranks have agreed to end early, with a checkpoint. ``reason`` says so."""

    def __init__(self, reason: str):
        super().__init__(STOPPED)
        self.reason = reason


@contextmanager
def ending_plainly() -> Iterator[None]:
    """Surrounds a whole program: it ends with a documented exit code, and reports a user's mistake in one line. If this rank
    fails, all ranks end with its reason. However it ends, everything that it has started ends with it."""
    rank = _rank()
    tie(rank)
    with contextlib.suppress(OSError):
        forget(Path(os.environ.get(ENDINGS, os.devnull)), rank)
    signal.signal(signal.SIGTERM, _stop_early)
    try:
        yield
        end_together()
    except Stopped as stopped:  # all ranks have agreed on this
        tell(Cause.of(rank, "stopped", stopped.reason), rank)
        end_together()
        raise
    except SystemExit as left:
        if left.code not in (None, 0):
            problem = RuntimeError(f"the program exited with {left.code!r}")
            _fail(problem.with_traceback(left.__traceback__), rank)
        end_together()
        raise
    except BaseException as error:
        _fail(error, rank)


def _fail(error: BaseException, rank: int) -> NoReturn:
    """Ends without leaving the process group: with NCCL all ranks must leave at once, and they may be waiting for this one."""
    judged = judge(error)
    if judged.trace:
        print_briefly(f"error: this is {FAULT}. Its traceback:\n{judged.trace}\n")
    cause = judged.cause(rank)
    _flush_briefly()
    if (own := guard.current()) is not None:
        own.fail(cause)
    end_now(cause, rank)


def _flush_briefly() -> None:
    def flush() -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()

    briefly(flush)


def end_together() -> None:
    """Ends a rank whose work is done: its workers, the process group, and the guard's watch."""
    own = guard.current()
    if own is not None:
        own.release_workers()
    stop_workers()
    if dist.is_initialized():
        dist.destroy_process_group()
    if own is not None:
        own.leave()


def _stop_early(number: int, frame: FrameType | None) -> NoReturn:
    raise StoppedEarly


def _rank() -> int:
    rank = os.environ.get("RANK", "0")
    return int(rank) if rank.isdecimal() else 0
