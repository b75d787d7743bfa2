"""The machine that a part runs on: what it is, and how long something takes there."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

ENOUGH_SECONDS = 0.02  # of calls in a row, so that the clock's steps do not matter
MOST_CALLS = 200
LIBRARIES = ("triton", "transformers", "deepspeed", "flash-attn", "flash-attn-3", "kernels")


class Machine:
    """A device with its clock."""

    def __init__(self, device: torch.device):
        self.device = device
        self.is_gpu = device.type == "cuda"

    def synchronize(self) -> None:
        """Until the device has nothing left to do."""
        if self.is_gpu:
            torch.cuda.synchronize(self.device)

    def milliseconds(self, call: Callable[[], Any], repeats: int) -> float:
        """Of one call: the median of so many measurements, each of as many calls as the clock needs."""
        call()
        calls = max(1, min(MOST_CALLS, int(ENOUGH_SECONDS / self._seconds(call, 1))))
        return 1e3 * statistics.median(self._seconds(call, calls) for _ in range(repeats))

    def peak_bytes(self, call: Callable[[], Any]) -> int | None:
        """What the device holds at most while a call runs, beyond what it held before; None without a GPU."""
        if not self.is_gpu:
            return None
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        call()
        return torch.cuda.max_memory_allocated(self.device) - before

    def _seconds(self, call: Callable[[], Any], calls: int) -> float:
        self.synchronize()
        started = time.perf_counter()
        for _ in range(calls):
            call()
        self.synchronize()
        return (time.perf_counter() - started) / calls

    def description(self) -> dict[str, Any]:
        """Names and versions."""
        return {
            "device": self._name(),
            "driver": _driver() if self.is_gpu else None,
            "cuda": torch.version.cuda,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        }

    def _name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.is_gpu else "CPU"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _driver() -> str | None:
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    return _first_line(query)


def revision(root: Path, prepared: Path) -> str | None:
    """Of the sources, with a plus where something is changed; of a copy that is no git clone, as it was prepared."""
    found = _first_line(["git", "-C", str(root), "rev-parse", "HEAD"])
    if found is None:
        return _prepared_revision(prepared)
    changed = _first_line(["git", "-C", str(root), "status", "--porcelain", "-uno"])
    return found + ("+" if changed else "")


def _prepared_revision(prepared: Path) -> str | None:
    try:
        return json.loads(prepared.read_text(encoding="utf-8")).get("revision")
    except (OSError, ValueError):
        return None


def _first_line(command: list[str]) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    lines = done.stdout.splitlines()
    return lines[0].strip() if lines else None
