"""What an operation costs on a GPU: a roofline of its data sheet, and of what programs reach of that."""

from __future__ import annotations

from dataclasses import dataclass

# Shares of the data sheet's figures that good kernels reach, and the least that anything takes. Assumptions, all here.
MATMUL_SHARE = 0.7
ATTENTION_SHARE = 0.4
BANDWIDTH_SHARE = 0.8
KERNEL_SECONDS = 2e-6  # of the device, for the smallest kernel
LAUNCH_SECONDS = 6e-6  # of the host, for a kernel: Python, autograd and the driver
VIEW_SECONDS = 2e-6  # of the host, for a tensor that needs no kernel


@dataclass(frozen=True)
class Gpu:
    """A GPU by its data sheet."""

    name: str
    peak_flops: float  # dense, per second, in the model's precision
    bandwidth: float  # of its memory, bytes per second

    def seconds(self, cost: Cost) -> float:
        """Time on the device: of the arithmetic or of the memory, whichever is longer."""
        if not cost.launches:
            return 0.0
        share = ATTENTION_SHARE if cost.attention else MATMUL_SHARE
        arithmetic = cost.flops / (self.peak_flops * share)
        memory = (cost.read + cost.written) / (self.bandwidth * BANDWIDTH_SHARE)
        return max(arithmetic, memory, cost.launches * KERNEL_SECONDS)


@dataclass(frozen=True)
class Cost:
    """What an operation asks of the device."""

    launches: int = 1  # kernels
    flops: float = 0
    read: int = 0  # bytes
    written: int = 0
    attention: bool = False

    @property
    def host_seconds(self) -> float:
        """Time of the host, which starts kernels one after another."""
        return self.launches * LAUNCH_SECONDS if self.launches else VIEW_SECONDS
