"""Checkpoints without the code that a pickle may hold: the names that a file would call are checked before it is
unpickled, and unpickling can call nothing but what our own runs write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from deepspeed.runtime.fp16.loss_scaler import LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

# Besides tensors and what torch itself allows: everything that DeepSpeed puts into our checkpoints, at any stage.
ALLOWED = [LossScaler, ZeroStageEnum, fragment_address]
FORCED = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # also where DeepSpeed asks for weights_only=False


def problem_of(path: Path) -> str | None:
    """Why a file of a checkpoint must not be unpickled; None where it may be.

    Only the file's list of names is read, by torch's own reader, so that it is the list that torch would load.
    """
    try:
        with safe_globals(ALLOWED):
            foreign = get_unsafe_globals_in_checkpoint(path)
    except Exception as error:  # a damaged file may raise many kinds of exception
        return f"is not a file that a run writes ({_first_line(error)})"
    if not foreign:
        return None
    names = ", ".join(repr(name)[:80] for name in sorted(foreign)[:3])
    return f"would call {names}, which no run of skrull writes: it could be somebody else's code"


def problem_in(folder: Path, rank: int = 0, ranks: int = 1) -> str | None:
    """Why a file that DeepSpeed could load from a folder must not be unpickled; each rank checks its share of the files."""
    for path in sorted(folder.rglob("*.pt"))[rank::ranks]:
        problem = problem_of(path)
        if problem is not None:
            return f"{path}: {problem}"
    return None


def name_outside(folder: Path) -> str | None:
    """A key in a checkpoint's files that leads out of a folder: DeepSpeed's conversion makes paths from parameter names."""
    for path in sorted(folder.rglob("*.pt")):
        with restricted():
            content = torch.load(path, map_location="cpu", mmap=True)
        for key in _keys(content):
            if "/" in key or "\0" in key or key in ("..", "."):
                return f"{path}: the name {key[:80]!r} could lead out of the checkpoint's folder"
    return None


def _keys(content: object) -> Iterator[str]:
    waiting = [content]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield from (key for key in each if isinstance(key, str))
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each


@contextmanager
def restricted() -> Iterator[None]:
    """Within it, and in programs started within it, torch loads tensors and what is allowed, even if asked for more."""
    before = os.environ.get(FORCED)
    os.environ[FORCED] = "1"
    try:
        with safe_globals(ALLOWED):
            yield
    finally:
        if before is None:
            del os.environ[FORCED]
        else:
            os.environ[FORCED] = before


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
