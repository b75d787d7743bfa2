"""The results of attention kernels in a layer's forward, kept for the layer's recomputation in the backward: everything in
a layer is recomputed there except its attention (``checkpointing = attention``).

torch's selective checkpointing would do this by operators, but fails where the recomputation runs operators that the
forward did not, as it does under ZeRO 3 (pytorch#185178).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

Made = tuple[torch.Tensor, list[torch.Tensor]]  # as a kernel's forward returns it


class _Thread(threading.local):
    """State of a thread: the backward on a GPU runs in a thread of its own."""

    kept: deque[Made] | None = None
    replays = False


_thread = _Thread()


def made_once(make: Callable[[], Made]) -> Made:
    """The result of a kernel; in the recomputation of a layer that keeps it, the result from the forward."""
    if _thread.kept is None:
        return make()
    if _thread.replays:
        return _thread.kept.popleft()
    made = make()
    _thread.kept.append(made)
    return made


def is_kept() -> bool:
    """Whether results of kernels are kept here for a recomputation, which then also provides their inputs."""
    return _thread.kept is not None


def keeping_attention() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """The contexts around a layer's forward and its recomputation, for ``context_fn`` of ``torch.utils.checkpoint``."""
    kept: deque[Made] = deque()
    return _with(kept, False), _with(kept, True)


@contextmanager
def _with(kept: deque[Made], replays: bool) -> Iterator[None]:
    before = _thread.kept, _thread.replays
    _thread.kept, _thread.replays = kept, replays
    try:
        yield
    finally:
        _thread.kept, _thread.replays = before
