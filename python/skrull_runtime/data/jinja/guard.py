"""Limits for templates, which are programs by strangers: on processor time, and on memory where the system supports it."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ...errors import UserError

SECONDS = 10.0  # of processor time, for one conversation under one template
MEMORY = 1 << 30  # bytes that a batch may take beyond what the process holds
MEMORY_PER_CHARACTER = 64  # bytes more for each character of its contents
AGAIN = 0.2  # seconds: a template's own error handling may swallow the first interrupt

_watching = False


class Interrupted(BaseException):
    """Not an Exception: jinja2 looks up attributes under ``except Exception``."""


@contextmanager
def limited_time(seconds: float | None = None) -> Iterator[None]:
    """Raises UserError where the body takes longer. Interrupts Python code in any thread."""
    seconds = SECONDS if seconds is None else seconds
    main = threading.current_thread() is threading.main_thread()
    try:
        with _by_timer(seconds) if main and hasattr(signal, "setitimer") else _by_trace(seconds):
            yield
    except Interrupted:
        raise UserError(
            f"the chat template ran for {seconds:g} s on one conversation and was stopped: does it loop for ever?"
        ) from None


@contextmanager
def watched() -> Iterator[None]:
    """Installs the signal handler once for many :func:`limited_time` inside: doing so costs more than a short template."""
    global _watching
    main = threading.current_thread() is threading.main_thread()
    if _watching or not main or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _interrupt)
    _watching = True
    try:
        yield
    finally:
        _watching = False
        signal.signal(signal.SIGVTALRM, before)


@contextmanager
def _by_timer(seconds: float) -> Iterator[None]:
    with watched():
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Interrupted


@contextmanager
def _by_trace(seconds: float) -> Iterator[None]:
    """For threads, which get no signals: checks the clock at every line."""
    until = time.thread_time() + seconds

    def trace(_frame: FrameType, _event: str, _argument: Any) -> Any:
        if time.thread_time() > until:
            raise Interrupted
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@contextmanager
def limited_memory(characters: int) -> Iterator[None]:
    """Raises UserError where the body takes much more memory than the ``characters`` of its contents explain."""
    with _address_space(MEMORY + MEMORY_PER_CHARACTER * characters):
        try:
            yield
        except MemoryError:
            raise UserError(
                "the chat template takes more memory than its conversation explains and was stopped"
            ) from None


@contextmanager
def _address_space(more: int) -> Iterator[None]:
    """Lets the process grow by ``more`` bytes. Does nothing where the system has no such limit."""
    try:
        import resource

        pages = int(open("/proc/self/statm", encoding="ascii").read().split()[0])  # noqa: SIM115
        before = resource.getrlimit(resource.RLIMIT_AS)
        limit = pages * resource.getpagesize() + more
        if before[0] != resource.RLIM_INFINITY:
            limit = min(limit, before[0])
        resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    except (ImportError, OSError, ValueError):
        yield
        return
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
