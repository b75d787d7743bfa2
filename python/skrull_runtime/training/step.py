"""The DeepSpeed loop: one optimizer step per global batch, whatever its number of micro-batches."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace

import deepspeed
import torch
import torch.distributed as dist
from torch import nn

from .. import versions
from ..batches.collate import StepBatch
from ..batches.packed import MicroBatch
from ..config import ModelConfig, TrainConfig
from ..errors import UserError
from ..guarding import place
from ..guarding.unless_failing import unless_failing
from ..model.attention import AttentionContext
from ..model.build import base_of
from ..model.groups import GroupTable
from ..model.kernels.choose import choose_kernel
from ..model.loss import SummedLossModel
from ..model.recomputation import recomputation_of
from ..model.slicing import slicing_of
from ..process.agreement import require_same_schedule
from ..shapes import DeepSpeedConfig
from .device_timer import DeviceTimer
from .nonfinite import (
    GradientWatch,
    NonFinite,
    bad_gradient,
    bad_loss,
    check_gradients,
    samples_of,
)
from .optimizer import build_optimizer, learning_rate, roles_of, set_groups, settings_of


@dataclass
class StepResult:
    """The figures of one optimizer step, the same on all ranks."""

    loss: float  # per supervised token of the global batch
    seconds: float
    learning_rate: float
    gradient_norm: float | None  # before clipping; None where nothing was updated
    skipped_steps: int = 0  # in the run so far, because their gradients were not finite
    skipped: bool = False  # whether this step is one of them
    # If the model's configuration asks for it; not part of ``loss``.
    router_loss: float | None = None
    waited_seconds: float = 0.0  # for the step's batch, before the step
    optimizer_seconds: float = 0.0  # of ``seconds``: the optimizer, behind the last backward
    stop: bool = False  # a rank was asked to end the run
    # Share of the micro-batches that recompute less than they might have to; None where all do the same.
    recomputing_less: float | None = None


class Trainer:
    """A model under DeepSpeed that trains on step batches.

    DeepSpeed gets no ``mpu`` and no sequence parallelism: ZeRO shards over the whole world, and context parallelism exists
    only in the attention function. Raises UserError where a package is too old for the settings.
    """

    def __init__(
        self,
        model: nn.Module,
        ds_config: DeepSpeedConfig,
        model_config: ModelConfig,
        train: TrainConfig,
    ):
        versions.refuse_what_is_missing(model_config, train, ds_config)
        device = torch.device(deepspeed.accelerator.get_accelerator().current_device_name())
        zero = ds_config.get("zero_optimization", {})
        wrapped = SummedLossModel(model, model_config.loss_chunk)
        trained = [parameter for parameter in wrapped.parameters() if parameter.requires_grad]
        optimizer = build_optimizer(
            trained, train.optimizer, device, "offload_optimizer" in zero, roles_of(model)
        )
        self.router, self.needs_whole_sequences = wrapped.router, wrapped.needs_whole_sequences
        self.stage: int = zero.get("stage", 0)
        self._groups = settings_of(optimizer)
        set_groups(optimizer, self._groups, _still)
        self.engine, _, _, _ = deepspeed.initialize(
            model=wrapped, optimizer=optimizer, config=ds_config
        )
        if self.stage == 0:
            # In bf16 DeepSpeed has run a step without gradients, and Adam's bias correction would count it.
            self.engine.basic_optimizer.state.clear()
        # Under stage 0 in fp32, nothing checks the gradient before the optimizer uses it.
        self._bare = self.engine.optimizer is self.engine.basic_optimizer
        if not versions.has("checked-norm"):
            check_gradients(self.engine.optimizer)
        # Where it is not, DeepSpeed takes every step for the boundary; versions before have no choice.
        managed = getattr(self.engine, "managed_gradient_accumulation", None)
        self._managed: bool = managed is None or managed()
        lora = model_config.lora
        self._noisy = lora is not None and lora["dropout"] > 0
        self.model = model
        self.device = self.engine.device
        self._timer = DeviceTimer(self.device)
        self.kernel = choose_kernel(model_config.attention, self.device)
        self.slicing = slicing_of(model_config, base_of(model).config)
        self.recomputation = recomputation_of(base_of(model))
        self.train = train
        self.remarks: list[str] = []  # about what differs from the run's settings
        if train.gradients == "fp32":
            self._add_in_fp32(trained)

    def step(
        self, batch: StepBatch, groups: GroupTable, is_asked_to_stop: Callable[[], bool] = bool
    ) -> StepResult:
        """Trains on one global batch.

        DeepSpeed averages gradients over the world, so each rank's summed loss is scaled by the world size over the number
        of targets in the whole global batch: any grouping of sequences gives the same gradient. The accumulation boundary
        is set by hand, because the number of micro-batches varies (open-instruct#1498). A global batch without a single
        target changes nothing. Raises UserError where ranks have different schedules, and NonFinite where the loss is not
        finite, or where the gradient is not and such steps are not to be skipped.

        Nothing waits for the device before the optimizer, which checks the gradient. If the loss is not finite, neither is
        its gradient, so that nothing is updated.
        """
        started = time.perf_counter()
        self._prepare(batch, groups)

        def rate(peak: float) -> float:
            return learning_rate(batch.step, self.train.total_steps, peak, self.train.learning_rate)

        set_groups(self.engine.optimizer, self._groups, rate)
        totals = torch.zeros(3, device=self.device, dtype=torch.float64)
        losses: dict[int, torch.Tensor] = {}
        norm = None
        if batch.supervised > 0:
            for index, own, token_losses in self._accumulate(batch, groups):
                totals[:2] += own
                losses[index] = token_losses
            place.at(f"the optimizer of step {batch.step}")
        totals[2] = float(is_asked_to_stop())
        dist.all_reduce(totals)
        if batch.supervised > 0:
            with self._memory_named(f"the optimizer of step {batch.step}"):
                self._timer.start()
                norm = self._update()
                self._timer.stop()
        summed, balance, stop = totals.tolist()
        result = StepResult(
            loss=summed / max(1, batch.supervised),
            seconds=time.perf_counter() - started,
            learning_rate=rate(self.train.optimizer["lr"]),
            gradient_norm=norm,
            skipped_steps=self.engine.skipped_steps,
            stop=stop > 0,
            recomputing_less=self.recomputation.share_of_less(
                [micro_batch.fullest for micro_batch in batch.micro_batches]
            ),
        )
        if batch.supervised == 0:
            return result
        if not math.isfinite(result.loss):
            raise bad_loss(batch, result.loss, losses)
        if norm is None and self.train.non_finite_gradients != "skip":
            raise self._non_finite_gradient(batch, groups)
        return replace(
            result,
            skipped=norm is None,
            router_loss=None if self.router is None else balance / batch.tokens,
            optimizer_seconds=self._timer.seconds(),
        )

    def _accumulate(
        self, batch: StepBatch, groups: GroupTable
    ) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """Runs forward and backward of this rank's micro-batches, and yields for each its index, its summed loss and the
        router's part (fp64 ``[2]``), and the losses of its counted tokens ``[C]``, detached. Gradients are reduced once the
        iterator is exhausted.

        The router's loss of a step is the mean over the tokens of its micro-batches, and does not depend on targets.
        """
        ranks = dist.get_world_size()
        scale, router_scale = ranks / batch.supervised, 0.0
        if self.router is not None:
            router_scale = self.router.coefficient * ranks / batch.tokens
        indices = self._indices(batch)
        with self._reduction():
            for index in indices:
                micro_batch = batch.micro_batches[index]
                place.at(f"micro-batch {index} of step {batch.step}")
                if self._managed:
                    self.engine.set_gradient_accumulation_boundary(index == indices[-1])
                with self._memory_named(f"micro-batch {index} of step {batch.step}", micro_batch):
                    if self._noisy:
                        seed_noise(self.train.seed, batch.step, index, dist.get_rank())
                    loss, losses, balance = self.forward(
                        micro_batch, groups, scale=scale, router_scale=router_scale
                    )
                    self.engine.backward(loss, scale_wrt_gas=False)
                summed = losses.sum(dtype=torch.float64)
                yield index, torch.stack((summed, balance.double())), losses

    def _update(self) -> float | None:
        """Runs the optimizer's step. Returns the norm of the gradient before clipping; None if it is not finite, which is
        the same on all ranks, and nothing was updated.

        DeepSpeed's wrappers check the norm before they touch a weight, and drop the gradients if it is not finite.
        """
        if not self._bare:
            self.engine.step()
            norm = self.engine.get_global_grad_norm()
            return float(norm) if self.engine.was_step_applied() else None
        gradients = [p.grad for p in self.engine.module.parameters() if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients))
        if not math.isfinite(norm):
            self.engine.zero_grad()
            self.engine.skipped_steps += 1
            return None
        self.engine.step()
        return norm

    def _non_finite_gradient(self, batch: StepBatch, groups: GroupTable) -> NonFinite:
        """Finds out which micro-batches it comes from: they run once more, on all ranks, and nothing is updated. The
        gradients that this leaves behind are useless, so the run must end."""
        watch = GradientWatch(self.engine.module.parameters(), self.device)
        own = {
            index: samples_of(batch, index)
            for index, _, _ in self._accumulate(batch, groups)
            if watch.take()
        }
        watch.close()
        return bad_gradient(batch, own)

    @torch.no_grad()
    def evaluate(self, batch: StepBatch, groups: GroupTable) -> float:
        """The sum of the token losses of a global batch; the same on all ranks. Nothing is trained."""
        self._prepare(batch, groups)
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        self.engine.eval()
        for index, micro_batch in enumerate(batch.micro_batches):
            name = f"micro-batch {index} of evaluation batch {batch.step}"
            with self._memory_named(name, micro_batch):
                loss, _, _ = self.forward(micro_batch, groups)
            total += loss.double()
        self.engine.train()
        dist.all_reduce(total)
        return total.item()

    def _prepare(self, batch: StepBatch, groups: GroupTable) -> None:
        """Makes sure that all ranks are about to issue the collectives of the same schedule."""
        require_same_schedule(batch.step, batch.schedule_digest)
        groups.prepare(batch.degrees)

    def _indices(self, batch: StepBatch) -> list[int]:
        """The micro-batches that this rank runs: all, or, where a dummy takes part in no communication, only those with a
        sequence, but at least one."""
        everyone = list(range(len(batch.micro_batches)))
        if (
            self.router is not None
            or self.stage == 3
            or (self.stage == 2 and self.train.reduction != "once")
        ):
            return everyone
        return [index for index in everyone if not batch.is_dummy(index)] or everyone[:1]

    def _add_in_fp32(self, trained: list[nn.Parameter]) -> None:
        """Where a rank adds up the gradients of its own micro-batches, makes autograd do so in fp32. Elsewhere each
        micro-batch is reduced by itself, and DeepSpeed adds the results in the precision that its configuration states."""
        by_autograd = self.stage == 0 or self._reduces_once()
        if not by_autograd and self.stage != 2:
            return
        problem = versions.missing("gradient-dtype" if by_autograd else "reduced-gradients")
        if problem is not None:
            self.remarks.append(problem)
        if problem is not None or not by_autograd:
            return
        for parameter in trained:
            parameter.grad_dtype = torch.float32

    def _reduces_once(self) -> bool:
        return self.train.reduction == "once" and self.stage > 0

    def _reduction(self) -> AbstractContextManager[None]:
        """The context of a step's backwards: gradients are reduced in every backward, as the stage has it, or once after
        the last."""
        if not self._reduces_once():
            return nullcontext()
        return unless_failing(self.engine.coalesce_grad_reduction())

    def try_out(self, batch: StepBatch, index: int, groups: GroupTable) -> None:
        """Tries a micro-batch of a global batch, on all ranks: see :meth:`rehearse`. Raises UserError where they have
        different schedules."""
        self._prepare(batch, groups)
        name = f"micro-batch {index} of step {batch.step}, which was tried first"
        self.rehearse(batch.micro_batches[index], groups, name)

    def rehearse(
        self, micro_batch: MicroBatch, groups: GroupTable, name: str = "a micro-batch tried first"
    ) -> None:
        """Runs forward, backward and optimizer step on a micro-batch without changing anything: gradient and learning rate
        are zero, and random numbers continue where they were. The groups of its layout must be prepared on all ranks.

        Raises UserError where memory does not suffice.
        """
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            self._rehearse(micro_batch, groups, name)

    def _rehearse(self, micro_batch: MicroBatch, groups: GroupTable, name: str) -> None:
        state = self.engine.basic_optimizer.state
        steps = {p: copy.deepcopy(entry["step"]) for p, entry in state.items() if "step" in entry}
        known, skipped = set(state), self.engine.skipped_steps
        set_groups(self.engine.optimizer, self._groups, _still)
        if self._managed:
            self.engine.set_gradient_accumulation_boundary(True)
        with self._memory_named(name, micro_batch):
            with self._reduction():
                loss, _, _ = self.forward(micro_batch, groups, scale=0.0)
                self.engine.backward(loss, scale_wrt_gas=False)
            self._update()
        self.engine.skipped_steps = skipped
        for parameter in list(state):
            if parameter not in known:
                del state[parameter]
            elif parameter in steps:
                if torch.is_tensor(steps[parameter]):  # others may hold the same
                    state[parameter]["step"].copy_(steps[parameter])
                else:
                    state[parameter]["step"] = steps[parameter]

    @contextmanager
    def _memory_named(self, what: str, micro_batch: MicroBatch | None = None) -> Iterator[None]:
        """Raises UserError where memory runs out, saying in what, and what to change."""
        try:
            yield
        except torch.OutOfMemoryError as error:
            used = torch.cuda.max_memory_allocated(self.device) / 2**30
            tokens = (
                ""
                if micro_batch is None
                else f"{micro_batch.input_ids.shape[1]} tokens on this rank, "
            )
            planned = self.train.predicted_peak_bytes
            against = "" if planned is None else f", {planned / 2**30:.1f} GiB predicted at most"
            raise UserError(
                f"out of memory in {what}: {tokens}{used:.1f} GiB at the peak{against}."
                " Set a smaller memory { bucket } or a larger memory { reserve }, and compile again"
            ) from error

    def forward(
        self,
        micro_batch: MicroBatch,
        groups: GroupTable,
        *,
        scale: float = 1.0,
        router_scale: float = 0.0,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The loss of this rank's part of a micro-batch, the losses of its counted tokens ``[C]`` and the router's part, as
        :class:`SummedLossModel` returns them."""
        own = micro_batch.to(self.device)
        self.recomputation.begin(own.fullest)
        slicing = replace(self.slicing, recomputes=self.recomputation.recomputes_layers)
        losses: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = self.engine(
            own.input_ids,
            own.position_ids,
            own.counted,
            own.targets,
            AttentionContext(own.plan, groups, self.kernel, slicing, self.train.deterministic),
            scale,
            None if self.router is None else own.sequence_ids >= 0,
            router_scale,
        )
        return losses


def _still(_peak: float) -> float:
    """A learning rate at which nothing moves."""
    return 0.0


def seed_noise(seed: int, step: int, index: int, rank: int) -> None:
    """Seeds the random numbers of dropout in a rank's micro-batch: a resumed run draws the same numbers as one that was not
    interrupted, and no two micro-batches draw the same. Recomputation in the backward restores the state, as torch's
    checkpoint does."""
    digest = hashlib.sha256(f"{seed} {step} {index} {rank}".encode()).digest()
    torch.manual_seed(int.from_bytes(digest[:8], "little") >> 1)
