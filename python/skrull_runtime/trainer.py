"""The DeepSpeed loop: one optimizer step a global batch, whatever its number of micro-batches."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from torch import nn

from .attention import AttentionContext
from .collate import MicroBatch, StepBatch
from .config import ModelConfig, TrainConfig
from .groups import GroupTable
from .kernels import choose_kernel
from .loss import SummedLossModel
from .optimizer import build_optimizer, learning_rate


@dataclass
class StepResult:
    """Figures of one optimizer step, the same on all ranks."""

    loss: float  # per supervised token of the global batch
    seconds: float
    learning_rate: float
    gradient_norm: float | None


class Trainer:
    """A model under DeepSpeed that trains on step batches.

    No ``mpu`` and no sequence parallelism are given to DeepSpeed: ZeRO shards over the whole world, and context
    parallelism lives wholly in the attention function.
    """

    def __init__(
        self,
        model: nn.Module,
        ds_config: dict[str, Any],
        model_config: ModelConfig,
        train: TrainConfig,
    ):
        device = torch.device(deepspeed.accelerator.get_accelerator().current_device_name())
        wrapped = SummedLossModel(model, model_config.loss_chunk)
        optimizer = build_optimizer(wrapped.parameters(), train.optimizer, device)
        self.engine, _, _, _ = deepspeed.initialize(
            model=wrapped, optimizer=optimizer, config=ds_config
        )
        self.device = self.engine.device
        self.kernel = choose_kernel(model_config.attention, self.device)
        self.train = train

    def step(self, batch: StepBatch, groups: GroupTable) -> StepResult:
        """Trains on one global batch.

        DeepSpeed averages gradients over the world, so each rank's summed loss is scaled by world size over the
        targets of the whole global batch: any grouping of sequences gives the same gradient. The accumulation
        boundary is set by hand, because the number of micro-batches varies (open-instruct#1498). A global batch
        without a single target changes nothing.
        """
        started = time.perf_counter()
        rate = learning_rate(
            batch.step, self.train.total_steps, self.train.optimizer["lr"], self.train.learning_rate
        )
        for parameters in self.engine.optimizer.param_groups:
            parameters["lr"] = rate
        if batch.supervised == 0:
            return StepResult(0.0, time.perf_counter() - started, rate, None)
        scale = dist.get_world_size() / batch.supervised
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        last = len(batch.micro_batches) - 1
        for index, micro_batch in enumerate(batch.micro_batches):
            self.engine.set_gradient_accumulation_boundary(index == last)
            loss, _ = self.forward(micro_batch, groups)
            self.engine.backward(loss * scale, scale_wrt_gas=False)
            total += loss.detach().double()
        self.engine.step()
        dist.all_reduce(total)
        norm = self.engine.get_global_grad_norm()
        loss = total.item() / batch.supervised
        if not math.isfinite(loss):
            raise RuntimeError(
                f"the loss of step {batch.step} is {loss}: lower the learning rate, or look at the data"
            )
        return StepResult(
            loss, time.perf_counter() - started, rate, None if norm is None else float(norm)
        )

    def forward(
        self, micro_batch: MicroBatch, groups: GroupTable
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed loss (scalar) and token losses ``[T]`` of this rank's part of a micro-batch."""
        context = AttentionContext(micro_batch.layout, groups, self.kernel)
        return self.engine(
            micro_batch.input_ids.to(self.device),
            micro_batch.position_ids.to(self.device),
            micro_batch.labels.to(self.device),
            context,
        )
