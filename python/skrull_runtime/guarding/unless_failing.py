"""Library contexts that wait for other ranks on exit, even when an exception leaves them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

_unfinished: list[Any] = []  # kept alive, or collecting a generator would run the rest of it


@contextmanager
def unless_failing(context: AbstractContextManager[Any]) -> Iterator[None]:
    """The same context, but an exception skips its exit: this rank is about to end, and collectives in the exit would make
    it wait for ranks that wait for it."""
    context.__enter__()
    try:
        yield
    except BaseException:
        _unfinished.append(context)
        raise
    context.__exit__(None, None, None)
