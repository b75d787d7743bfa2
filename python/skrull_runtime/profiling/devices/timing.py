"""The time of work on every rank's device at once, as ranks of a CPU share its memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
import torch.distributed as dist


def median_seconds(work: Callable[[], object], device: torch.device, repeats: int) -> float:
    """The median time of ``work`` on the slowest rank, in seconds. Collective."""
    work()  # the first prepares memory and kernels
    times = []
    for _ in range(repeats):
        dist.barrier()
        _synchronize(device)
        started = time.perf_counter()
        work()
        _synchronize(device)
        times.append(time.perf_counter() - started)
    median = torch.tensor(statistics.median(times), device=device)
    dist.all_reduce(median, op=dist.ReduceOp.MAX)
    return median.item()


def _synchronize(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
