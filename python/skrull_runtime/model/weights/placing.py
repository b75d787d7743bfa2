"""Places parameters on the ranks: whole, or partitioned under ZeRO 3; rank 0 has the values, one parameter at a time."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from torch import nn

from ...shapes import DeepSpeedConfig


@contextmanager
def without_parameters() -> Iterator[None]:
    """Within it, models get parameters on the meta device, but their usual buffers."""
    register = nn.Module.register_parameter

    def register_empty(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None and param.device.type != "meta":
            param = nn.Parameter(param.to("meta"), param.requires_grad)
        register(self, name, param)

    nn.Module.register_parameter = register_empty  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def place(
    model: nn.Module,
    value: Callable[[str, nn.Parameter], torch.Tensor],
    device: torch.device,
    ds_config: DeepSpeedConfig,
    finish: Callable[[str, nn.Parameter], nn.Parameter] = lambda _, made: made,
) -> None:
    """Gives every parameter its values; ``value`` is called with its name, on rank 0 only. ``finish`` makes of
    it, on every rank, what is kept. Collective.

    Under ZeRO 3 a rank keeps only its partition, as DeepSpeed would have made it. The host never holds more than one whole
    parameter, on rank 0, apart from what ``value`` keeps. Parameters that modules share stay shared.
    """
    make = Partitioner(ds_config, device) if is_partitioned(ds_config) else _whole_on(device)
    for name, places in _places(model).items():
        parameter = model.get_parameter(name)
        own = value(name, parameter).to(parameter.dtype) if is_root() else None
        made = finish(name, make(parameter, own))
        for module, attribute in places:
            setattr(module, attribute, made)
        del own, parameter  # or they would still exist beside the next ones
        give_back()
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))


def give_back() -> None:
    """Returns freed host memory to the system, which glibc would keep for later use by this process.

    For a parameter that every rank held for a moment, it would keep as many copies as there are ranks.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)


def _places(model: nn.Module) -> dict[str, list[tuple[nn.Module, str]]]:
    """Every module and attribute that holds a parameter, by its first name."""
    held: dict[int, list[tuple[nn.Module, str]]] = {}
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            held.setdefault(id(parameter), []).append((module, name))
    return {name: held[id(parameter)] for name, parameter in model.named_parameters()}


def is_shared(ds_config: DeepSpeedConfig) -> bool:
    """Whether weights must be distributed to other ranks, or partitioned."""
    return is_partitioned(ds_config) or (dist.is_initialized() and dist.get_world_size() > 1)


def is_partitioned(ds_config: DeepSpeedConfig) -> bool:
    """Whether weights are partitioned over the ranks: ZeRO 3."""
    stage: int = ds_config.get("zero_optimization", {}).get("stage", 0)
    return stage == 3


def current_device() -> torch.device:
    """The device of this rank's weights."""
    return torch.device(deepspeed.accelerator.get_accelerator().current_device_name())


def is_root() -> bool:
    """Whether this is the rank that has the values."""
    return not dist.is_initialized() or dist.get_rank() == 0


def _whole_on(
    device: torch.device,
) -> Callable[[nn.Parameter, torch.Tensor | None], nn.Parameter]:
    def make(parameter: nn.Parameter, own: torch.Tensor | None) -> nn.Parameter:
        if own is None:
            values = torch.empty(parameter.shape, dtype=parameter.dtype, device=device)
        else:
            values = own.to(device, copy=True).contiguous()
        if dist.is_initialized() and dist.get_world_size() > 1:
            dist.broadcast(values.view(torch.uint8), 0)
        return nn.Parameter(values, parameter.requires_grad)

    return make


class Partitioner:
    """Makes parameters of DeepSpeed's ZeRO 3 of which a rank never holds more than its partition.

    DeepSpeed itself broadcasts the whole parameter to every rank before it partitions it; on a CPU, that makes as many
    copies as there are ranks.
    """

    def __init__(self, ds_config: DeepSpeedConfig, device: torch.device):
        self.zero = deepspeed.zero.Init(config_dict_or_path=deepcopy(ds_config))
        self.device = device

    def __call__(self, parameter: nn.Parameter, own: torch.Tensor | None) -> nn.Parameter:
        """A parameter of which this rank holds its equal share of rank 0's values ``own`` (of any shape); the last shares
        are padded."""
        ranks, rank = dist.get_world_size(), dist.get_rank()
        count = parameter.numel()
        share = -(-count // ranks)
        mine = torch.empty(share, dtype=parameter.dtype, device=self.device)
        whole = None if own is None else own.to(self.device).contiguous()
        shares = None if whole is None else _shares(whole.view(-1), share, ranks)
        dist.scatter(
            mine.view(torch.uint8), shares and [each.view(torch.uint8) for each in shares], 0
        )
        if whole is None:
            # Memory that is written only where the partition is read from.
            whole = torch.empty(parameter.shape, dtype=parameter.dtype, device=self.device)
            start = min(rank * share, count)
            end = min(start + share, count)
            whole.view(-1)[start:end].copy_(mine[: end - start])
        made = nn.Parameter(whole, parameter.requires_grad)
        self.zero._convert_to_deepspeed_param(made)
        converted: Any = made  # DeepSpeed has given it methods
        converted.partition()
        return made


def _shares(flat: torch.Tensor, size: int, ranks: int) -> list[torch.Tensor]:
    shares = []
    for start in range(0, size * ranks, size):
        part = flat[min(start, len(flat)) : start + size]
        if len(part) < size:
            part = torch.cat((part, part.new_zeros(size - len(part))))
        shares.append(part)
    return shares
