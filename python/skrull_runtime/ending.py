"""The end of a program on this rank: with the reason, and without a wait for ranks that may never come."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import torch.distributed as dist

from .errors import UserError
from .feed import stop_workers

LOST_RANK = re.compile(r"Connection (closed|reset) by peer|remote process exit")  # gloo, NCCL
LOST_WORKER = re.compile(r"DataLoader worker \(pid.*")  # torch's


@contextmanager
def ending_plainly() -> Iterator[None]:
    """For a whole program: a failure ends it with exit code 1, and a user's mistake in a line. However it ends, what it
    has started ends with it."""
    try:
        yield
    except SystemExit:  # which all ranks have agreed on
        _end_together()
        raise
    except BaseException as error:
        _explain(error)
        _end_alone(128 + signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1)
    _end_together()


def reason_of(error: BaseException) -> str | None:
    """What a user should read; None for a fault of ours, whose place matters."""
    text = str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if LOST_RANK.search(text):
        return f"another rank has ended, and its output says why ({text.splitlines()[0]})"
    if found := LOST_WORKER.search(text):
        return (
            f"the process that makes this rank's batches has ended ({found[0].strip()});"
            " a system without memory left kills like that"
        )
    return text if isinstance(error, UserError) else None


def _explain(error: BaseException) -> None:
    reason = reason_of(error)
    if reason is None:
        sys.excepthook(type(error), error, error.__traceback__)
    else:
        print(f"error: {reason}", file=sys.stderr, flush=True)


def _end_together() -> None:
    stop_workers()
    if dist.is_initialized():
        dist.destroy_process_group()


def _end_alone(code: int) -> NoReturn:
    """Without leave of the process group: NCCL takes it of all ranks at once, and they may be waiting for this one."""
    stop_workers()
    if not dist.is_initialized():
        sys.exit(code)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
