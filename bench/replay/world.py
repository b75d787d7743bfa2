"""One process that stands for a rank of many: collectives move this rank's own data, at no cost of a network."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.testing._internal.distributed.fake_pg

from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.start import quieten_deepspeed
from skrull_runtime.training.step import Trainer


def start(ranks: int, moves: bool = True) -> None:
    """As rank 0 of that many. What it gets from others are copies of its own part, of the right shape and size; where
    nothing ``moves``, tensors without values."""
    quieten_deepspeed()
    os.environ |= {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": str(ranks)}
    torch.set_num_threads(1)
    dist.init_process_group("fake", store=dist.HashStore(), rank=0, world_size=ranks)
    if moves:
        dist.all_to_all_single = _all_to_all_single


def _all_to_all_single(
    received: torch.Tensor, sent: torch.Tensor, *sizes: Any, **settings: Any
) -> None:
    """Rows of its own as if others had sent them. Some versions of torch leave memory as it was, which need not be
    finite, and then no optimizer runs."""
    count = min(len(received), len(sent))
    received[:count].copy_(sent[:count])
    received[count:].zero_()


def clock() -> float:
    """Seconds; of this process's core where that computes, which other programs do not lengthen."""
    return time.perf_counter() if torch.cuda.is_available() else time.process_time()


class OwnGroups(GroupTable):
    """Every group stands for all of its size, so that one process can do the work of any rank."""

    def get(self, degree: int, first_rank: int) -> dist.ProcessGroup:
        """The first group of that degree."""
        return super().get(degree, 0)


class TimedTrainer(Trainer):
    """A trainer that notes when each micro-batch begins and when the optimizer does."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.stamps: list[float] = []
        step = self.engine.step
        self.engine.step = lambda: (self._stamp(), step())

    def forward(
        self, *arguments: Any, **named: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As in training."""
        self._stamp()
        return super().forward(*arguments, **named)

    def timed(self, batch: StepBatch, groups: GroupTable) -> tuple[list[float], float]:
        """Seconds of each micro-batch, forward and backward, and of the rest of the step. A micro-batch that the rank
        leaves out takes none."""
        self.stamps = []
        self.step(batch, groups)
        self._stamp()
        spans = [end - start for start, end in zip(self.stamps, self.stamps[1:], strict=False)]
        run = dict(zip(self._indices(batch), spans, strict=False))
        return [run.get(index, 0.0) for index in range(len(batch.micro_batches))], spans[-1]

    def _stamp(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.stamps.append(clock())


class PeakMemory:
    """Peak memory of the device since the last look; without a GPU, of this process beyond what it began with."""

    def __init__(self, device: torch.device):
        self._gpu = device.type == "cuda"
        self._base = 0
        self._base = 0 if self._gpu else self.reset()

    def reset(self) -> int:
        """Forgets peaks; what is in use now."""
        if self._gpu:
            torch.cuda.reset_peak_memory_stats()
            return torch.cuda.memory_allocated()
        import ctypes

        ctypes.CDLL("libc.so.6").malloc_trim(0)  # or memory that is free stays resident
        Path("/proc/self/clear_refs").write_text("5")
        return self.peak()

    def peak(self) -> int:
        """Bytes at the most since the last reset."""
        if self._gpu:
            return torch.cuda.max_memory_allocated()
        lines = Path("/proc/self/status").read_text().splitlines()
        kilobytes = next(line for line in lines if line.startswith("VmHWM:")).split()[1]
        return 1024 * int(kilobytes) - self._base
