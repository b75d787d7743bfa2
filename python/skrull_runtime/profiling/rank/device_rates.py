"""What a rank's device reaches by itself, all figures together."""

from __future__ import annotations

from dataclasses import dataclass

from ...model.build import DTYPES
from ..devices.products import products_flops, shapes_of
from ..devices.rates import host_link, memory_bandwidth
from ..measure import StepTimer
from ..profile_file import DeviceFigures
from ..run_folder import RunFolder
from .host_adam import host_adam_parameters

REPEATS = 5


@dataclass(frozen=True)
class DeviceRates:
    """Per second."""

    products_flops: float | None  # of the model's matrix products, by themselves
    figures: DeviceFigures  # that a profile holds as they are


def device_rates(run: RunFolder, timer: StepTimer, ranks_of_node: int | None) -> DeviceRates:
    """Measured on all ranks at once. Collective.

    ``ranks_of_node``: None where this process stands for others, so that a node's processors cannot be measured.
    """
    device, model = timer.trainer.device, run.config.model
    shapes = shapes_of(timer.trainer.model, run.plan["demand"]["flops"]["body_per_token"])
    dtype = DTYPES[model.precision]
    products = products_flops(shapes, run.scheduling.bucket, dtype, device, REPEATS)
    figures: DeviceFigures = {"memory_bandwidth": memory_bandwidth(device, REPEATS)}
    link = host_link(device, REPEATS)
    if link is not None:
        figures["host_link"] = link
        # Nothing is offloaded where the device is the host.
        if ranks_of_node is not None:
            adam = host_adam_parameters(device, ranks_of_node, REPEATS)
            figures["host_adam_parameters"] = adam
    return DeviceRates(products, figures)
