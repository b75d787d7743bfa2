"""Contexts of libraries that wait for other ranks when they are left, even by an exception."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

_unfinished: list[Any] = []  # else the end of a generator would run its last part


@contextmanager
def unless_failing(context: AbstractContextManager[Any]) -> Iterator[None]:
    """The same context, but an exception leaves it as it is: this rank is about to end, and collectives on its way out
    would make it wait for ranks that wait for it."""
    context.__enter__()
    try:
        yield
    except BaseException:
        _unfinished.append(context)
        raise
    context.__exit__(None, None, None)
