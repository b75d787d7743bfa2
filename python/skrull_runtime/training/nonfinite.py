"""Losses and gradients that are NaN or infinite: which micro-batches and samples they come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from ..batches.collate import StepBatch
from ..errors import UserError


class NonFinite(UserError):
    """The loss or gradient of a step is not finite; ``samples`` are those that it comes from. Nothing was updated."""

    def __init__(self, message: str, samples: list[int], advice: str = ""):
        super().__init__(message)
        self.samples = samples
        self.advice = advice  # in addition to looking at the data


class GradientWatch:
    """Checks each gradient of some parameters as a backward computes it on this rank, before anything is reduced."""

    def __init__(self, parameters: Iterable[nn.Parameter], device: torch.device):
        self._found = torch.zeros((), device=device, dtype=torch.bool)
        self._hooks = [p.register_hook(self._look) for p in parameters if p.requires_grad]

    def _look(self, gradient: torch.Tensor) -> None:
        lowest, highest = torch.aminmax(gradient)  # NaN propagates to both, and nothing is copied
        self._found.logical_or_(~(torch.isfinite(lowest) & torch.isfinite(highest)))

    def take(self) -> bool:
        """Whether any gradient since the last call was not finite."""
        found = bool(self._found.item())
        self._found.zero_()
        return found

    def close(self) -> None:
        """Stops checking."""
        for hook in self._hooks:
            hook.remove()


def check_gradients(wrapper: Any) -> None:
    """Makes DeepSpeed's optimizer wrapper check its gradients before a step, and skip the step if one is not finite. Before
    0.19.8 it takes a norm that is not finite for 1, and checks only in 16 bits (under ZeRO 3, only in fp16)."""
    if hasattr(wrapper, "check_grad_overflow"):  # ZeRO 1 and 2
        wrapper.check_grad_overflow = True
    elif hasattr(wrapper, "_overflow_check_and_loss_scale_update"):  # ZeRO 3
        update = wrapper._overflow_check_and_loss_scale_update

        def checked() -> bool:
            wrapper.check_overflow()
            overflow: bool = update()
            return overflow

        wrapper._overflow_check_and_loss_scale_update = checked


def bad_loss(batch: StepBatch, loss: float, losses: dict[int, torch.Tensor]) -> NonFinite:
    """The error for a loss that is not finite. ``losses``: those of this rank's counted tokens ``[C]``, by micro-batch.
    Collective: all ranks name the same samples."""
    own: set[int] = set()
    for index, each in losses.items():
        bad = ~torch.isfinite(each.cpu())
        own |= set(samples_of(batch, index, batch.micro_batches[index].counted[bad].long()))
    everyone: list[set[int]] = [set()] * dist.get_world_size()
    dist.all_gather_object(everyone, own)
    return NonFinite(f"the loss of step {batch.step} is {loss}", sorted(set().union(*everyone)))


def bad_gradient(batch: StepBatch, own: dict[int, list[int]]) -> NonFinite:
    """The error for a gradient that is not finite. ``own``: this rank's micro-batches whose gradient alone is not finite,
    with their samples. Collective: all ranks name the same samples."""
    everyone: list[dict[int, list[int]]] = [{}] * dist.get_world_size()
    dist.all_gather_object(everyone, own)
    indices = sorted(set().union(*everyone))
    samples = {sample for each in everyone for found in each.values() for sample in found}
    where = f"in micro-batch {', '.join(map(str, indices))}"
    return NonFinite(
        f"the gradient of step {batch.step} is not finite,"
        f" {where if indices else 'in no micro-batch alone but in their sum'}",
        sorted(samples),
        ", or leave such steps out with train { non_finite_gradients = skip }",
    )


def samples_of(
    batch: StepBatch, index: int, chosen: torch.Tensor | slice = slice(None)
) -> list[int]:
    """The samples of this rank's tokens in a micro-batch, or of the chosen tokens: a mask ``[T]`` or positions."""
    sequences = batch.micro_batches[index].sequence_ids[0][chosen]
    return [batch.samples[k] for k in sequences.unique().tolist() if k >= 0]
