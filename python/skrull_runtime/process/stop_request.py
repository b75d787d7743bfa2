"""Requests to stop: SIGTERM ends a run after its step, or during its evaluation, with a checkpoint."""

from __future__ import annotations

import signal
from types import FrameType

import torch
import torch.distributed as dist


class StopRequest:
    """Whether this rank was sent SIGTERM. Schedulers and launchers send it some time before they kill a process."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def is_asked(self) -> bool:
        """Whether this rank was asked to stop."""
        return self._asked

    def agreed(self, device: torch.device) -> bool:
        """Collective: whether any rank was asked to stop; the same on all ranks."""
        flag = torch.tensor(float(self._asked), device=device)
        dist.all_reduce(flag, op=dist.ReduceOp.MAX)
        return flag.item() > 0
