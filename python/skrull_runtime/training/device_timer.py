"""How long a device is at work between two points of a program."""

from __future__ import annotations

import time

import torch


class DeviceTimer:
    """Times one stretch of work at a time without making anything wait for it. Its CUDA path has not been run yet."""

    def __init__(self, device: torch.device):
        cuda = device.type == "cuda"
        self._events = [torch.cuda.Event(enable_timing=True) for _ in range(2)] if cuda else []
        self._points = [0.0, 0.0]

    def start(self) -> None:
        """What is given to the device from here on counts."""
        self._mark(0)

    def stop(self) -> None:
        """And no more from here on."""
        self._mark(1)

    def seconds(self) -> float:
        """The time of the last stretch; waits for its end."""
        if not self._events:
            return self._points[1] - self._points[0]
        first, last = self._events
        last.synchronize()
        return float(first.elapsed_time(last)) / 1e3

    def _mark(self, n: int) -> None:
        self._points[n] = time.perf_counter()
        if self._events:
            self._events[n].record()
