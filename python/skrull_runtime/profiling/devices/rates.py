"""Bytes per second of a device's memory, and between it and the host. The CUDA paths have not been run yet."""

from __future__ import annotations

import torch

from .timing import median_seconds

COPIED_BYTES = {"cuda": 2**28, "cpu": 2**26}  # beyond every cache


def memory_bandwidth(device: torch.device, repeats: int) -> float:
    """Bytes per second that a copy reads and writes on every rank at once. Collective."""
    size = COPIED_BYTES[device.type]
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / median_seconds(lambda: target.copy_(source), device, repeats)


def host_link(device: torch.device, repeats: int) -> float | None:
    """Bytes per second from pinned memory of the host to the device, or back, whichever takes longer; of every rank at once.
    Collective. None where the device is the host."""
    if device.type != "cuda":
        return None
    size = COPIED_BYTES[device.type]
    host = torch.ones(size, dtype=torch.uint8).pin_memory()
    own = host.to(device)
    there = median_seconds(lambda: own.copy_(host, non_blocking=True), device, repeats)
    back = median_seconds(lambda: host.copy_(own, non_blocking=True), device, repeats)
    return size / max(there, back)
