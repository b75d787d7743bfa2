"""Processes of a check: one that is bounded in time, and in it a second rank."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UserError

SECONDS = 60.0  # of a whole check


def bounded(make: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """What ``make`` returns in a process of its own, as JSON; whatever it starts ends with it.

    Raises UserError where it takes longer than that many seconds, raises an exception, or ends in another way.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.setsid()
        os.close(reading)
        _end(lambda: _write(_answer(make), writing))
    os.close(writing)
    try:
        content = _read(reading, seconds)
    finally:
        os.close(reading)
        _kill(process)
    if content is None:
        raise UserError(f"the check took longer than {seconds:g} s and was ended")
    if not content:
        raise UserError("the process of the check ended without an answer")
    answer = json.loads(content)
    if "problem" in answer:
        raise UserError(answer["problem"])
    return answer["made"]


def on_two_ranks(work: Callable[[], Any], make: Callable[[Path, int], None]) -> Any:
    """What ``work`` returns on rank 0 of two, of which the other is forked here. ``make(store, rank)`` starts the process
    group.

    Raises UserError with what the other rank has failed with, if this one only notices it.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        store, problem = Path(name) / "store", Path(name) / "problem"
        other = os.fork()
        if other == 0:
            _end(lambda: _other_rank(work, make, store, problem))
        make(store, 0)
        try:
            made = work()
        except Exception as error:
            if isinstance(error, UserError) or not problem.is_file():
                raise
            raise UserError(problem.read_text(encoding="utf-8")) from error
        os.waitpid(other, 0)
        return made


def _other_rank(
    work: Callable[[], Any], make: Callable[[Path, int], None], store: Path, problem: Path
) -> None:
    try:
        make(store, 1)
        work()
    except Exception as error:
        problem.write_text(in_a_line(error), encoding="utf-8")


def _answer(make: Callable[[], Any]) -> bytes:
    try:
        answer = {"made": make()}
    except Exception as error:
        answer = {"problem": in_a_line(error)}
    return json.dumps(answer).encode() + b"\n"


def in_a_line(error: Exception) -> str:
    """An exception in a line."""
    if isinstance(error, UserError):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


def _end(make: Callable[[], None]) -> None:
    """Ends this process, whatever happens, without what its parent would do at its end."""
    try:
        make()
    finally:
        os._exit(0)


def _write(content: bytes, into: int) -> None:
    while content:
        content = content[os.write(into, content) :]


def _read(pipe: int, seconds: float) -> bytes | None:
    """A line, or what there is of it when the other end closes; None where that takes too long. A second rank holds the other
    end open, too."""
    content, end = b"", time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([pipe], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return None
        part = os.read(pipe, 1 << 16)
        content += part
        if not part or content.endswith(b"\n"):
            return content


def _kill(process: int) -> None:
    """Ends a process and those that it has started, which are of its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
