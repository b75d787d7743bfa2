"""What attention kernels have made in a layer's forward, for the layer's recomputation in the backward: everything else
of a layer is recomputed there, its attention is not (``checkpointing = attention``).

torch's selective checkpointing would do it by operators, but breaks where a recomputation meets operators that the forward
had not, as it does under ZeRO 3 (pytorch#185178).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

Made = tuple[torch.Tensor, list[torch.Tensor]]  # as a kernel's forward returns it


class _Thread(threading.local):
    """The backward of a GPU has a thread of its own."""

    kept: deque[Made] | None = None
    replays = False


_thread = _Thread()


def made_once(make: Callable[[], Made]) -> Made:
    """What a kernel makes; in a recomputation of a layer that keeps it, what it made in the forward."""
    if _thread.kept is None:
        return make()
    if _thread.replays:
        return _thread.kept.popleft()
    made = make()
    _thread.kept.append(made)
    return made


def is_kept() -> bool:
    """Whether what kernels make is kept here for a recomputation, which leaves their inputs to it."""
    return _thread.kept is not None


def keeping_attention() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For ``torch.utils.checkpoint``, as its ``context_fn``: what surrounds a layer's forward, and its recomputation."""
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
