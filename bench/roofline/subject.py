"""A run's model on fake tensors: forward and backward of a rank's micro-batch, counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from charge import Cost, Gpu
from faked import Mode, faked
from ledger import GRADIENTS, WEIGHTS
from meter import Meter, Tally
from operations import size
from standin import StandIn
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from wire import Links
from world import OwnGroups

from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.segments import AttentionPlan
from skrull_runtime.config import RunConfig, SchedulingConfig
from skrull_runtime.model import loss
from skrull_runtime.model.attention import AttentionContext, skrull_attention
from skrull_runtime.model.build import base_of, build_model
from skrull_runtime.model.recomputation import recomputation_of
from skrull_runtime.model.slicing import slicing_of
from skrull_runtime.profiling.run_folder import RunFolder
from skrull_runtime.scheduling import class_degrees


@dataclass
class Cell:
    """A rank's part of a micro-batch."""

    forward: Tally
    backward: Tally
    peak: int  # bytes of what is neither weights nor gradients
    at_peak: dict[str, int]

    @property
    def tallies(self) -> tuple[Tally, Tally]:
        """Both ways."""
        return self.forward, self.backward

    def extended(self, longer: Cell, times: int) -> Cell:
        """With what ``longer`` has more, so many times."""
        kinds = {
            kind: own + times * (longer.at_peak.get(kind, own) - own)
            for kind, own in self.at_peak.items()
        }
        return Cell(
            self.forward.extended(longer.forward, times),
            self.backward.extended(longer.backward, times),
            self.peak + times * (longer.peak - self.peak),
            kinds,
        )

    @property
    def seconds(self) -> float:
        """Of the device, or of the host that cannot start kernels as fast."""
        return sum(max(own.device_seconds, own.host_seconds) for own in self.tallies)


@dataclass(frozen=True)
class Setting:
    """What a run is imagined to run on."""

    gpu: Gpu
    kernel: str
    workspace: int | None = None  # bytes of sharded attention, where not the runtime's own


class Run(Protocol):
    """What a model is built and called by: a compiled run's folder, or one that is imagined."""

    config: RunConfig
    scheduling: SchedulingConfig


@dataclass(frozen=True)
class FakeModel:
    """A model without weights."""

    model: nn.Module
    mode: Mode

    @classmethod
    def of(cls, run: Run, configuration: Path, mode: Mode | None = None) -> FakeModel:
        """By the ``config.json`` of that folder. Before there is a process group: fakes cannot be agreed upon."""
        config = replace(run.config.model, weights="random", source=None, source_kind=None)
        mode = mode or FakeTensorMode(allow_non_fake_inputs=True)
        with mode:
            model = build_model(config, configuration, None, run.config.train.seed)
            # As DeepSpeed does: peft has adapters in fp32.
            dtype = base_of(model).dtype
            return cls(model.apply(lambda module: own_parameters(module, dtype)), mode)


def own_parameters(module: nn.Module, dtype: torch.dtype) -> None:
    """Has those of a module, not of its parts, in that precision."""
    for name, own in module._parameters.items():
        if own is not None and own.is_floating_point() and own.dtype != dtype:
            module._parameters[name] = nn.Parameter(own.detach().to(dtype), own.requires_grad)


class Subject:
    """The model as training has it, less DeepSpeed: neither ZeRO nor the optimizer."""

    def __init__(self, run: Run, fake: FakeModel, setting: Setting, meter: Meter):
        self.run, self.meter = run, meter
        self.model, self.fake = fake.model, fake.mode
        with self.fake:
            self.wrapped = loss.SummedLossModel(self.model, run.config.model.loss_chunk)
        self._config = base_of(self.model).config
        self.once = run.config.train.reduction == "once"  # gradients stay on the rank until then
        self._enter_states()
        scheduling = run.scheduling
        groups = OwnGroups()
        groups.prepare(
            class_degrees(scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel)
        )
        self.kernel, self.slicing = setting.kernel, slicing_of(run.config.model, self._config)
        if setting.workspace is not None:
            self.slicing = replace(self.slicing, workspace=setting.workspace)
        self._groups = groups

    def _context(self, plan: AttentionPlan) -> AttentionContext:
        recomputes = recomputation_of(base_of(self.model)).recomputes_layers
        slicing = replace(self.slicing, recomputes=recomputes)
        return AttentionContext(plan, self._groups, StandIn(self.kernel, self.meter), slicing)

    def _enter_states(self) -> None:
        ledger = self.meter.ledger
        for tensor in (*self.model.parameters(), *self.model.buffers()):
            ledger.enter(tensor, WEIGHTS)
        for parameter in self.model.parameters():
            if not parameter.requires_grad:
                continue
            if self.once and self.run.config.train.gradients == "fp32":
                parameter.grad_dtype = torch.float32
            parameter.register_post_accumulate_grad_hook(
                lambda own: ledger.is_for(own.grad, GRADIENTS)
            )

    def use_attention(self, name: str) -> None:
        """Of transformers' attention implementations."""
        self._config._attn_implementation = name

    def forget_gradients(self) -> None:
        """As at the beginning of a step."""
        for parameter in self.model.parameters():
            parameter.grad = None

    def run_once(self, micro_batch: MicroBatch, rank: int) -> Cell:
        """Forward and backward of a rank's part. Gradients remain, if the run keeps them between micro-batches."""
        meter, router = self.meter, self.wrapped.router
        recomputation_of(base_of(self.model)).begin(micro_batch.fullest)
        meter.wire.rank = rank
        with self.fake, on_a_gpu(meter):
            own = faked(micro_batch, self.fake)
            meter.ledger.forget_peak()
            with meter.counting():
                total, *_ = self.wrapped(
                    own.input_ids,
                    own.position_ids,
                    own.counted,
                    own.targets,
                    self._context(own.plan),
                    1.0,
                    None if router is None else own.sequence_ids >= 0,
                    0.0 if router is None else router.coefficient,
                )
                forward = meter.take()
                total.backward()
                backward = meter.take()
        if not self.once:
            self.forget_gradients()
        ledger = meter.ledger
        return Cell(forward, backward, ledger.peak, ledger.at_peak)

    def attention_bytes(self, micro_batch: MicroBatch, rank: int) -> tuple[int, int]:
        """The most that one layer's attention holds by itself, besides its inputs, its output and the gradients of that
        and of queries: in the forward, and in either."""
        meter, config = self.meter, self._config
        meter.wire.rank = rank
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        of_kinds = heads, config.num_key_value_heads, config.num_key_value_heads
        with self.fake, on_a_gpu(meter):
            own = faked(micro_batch, self.fake)
            inputs = [
                torch.empty(1, count, own.size, width, dtype=self.model.dtype, requires_grad=True)
                for count in of_kinds
            ]
            gradient = inputs[0].detach().transpose(1, 2).clone()
            for tensor in (*inputs, gradient):
                meter.ledger.enter(tensor, WEIGHTS)
            meter.ledger.forget_peak()
            with meter.counting():
                output, _ = skrull_attention(
                    None, *inputs, None, scaling=1.0, skrull=self._context(own.plan)
                )
                forward = meter.ledger.peak - size(output)
                output.backward(gradient)
            meter.take()
        most = meter.ledger.peak - size(output) - size(gradient)
        return forward, max(forward, most)


def links_of(run: RunFolder) -> Links:
    """Between the ranks of a node: of the plan's tables, that of most ranks among those."""
    tables = run.plan["hardware"]["figures"]["collectives"]
    table = max(tables, key=lambda own: (-own["nodes"], own["ranks"]))
    seconds = tuple(time / 1e6 for time in table["all_gather_us"])
    return Links(table["ranks"], tuple(table["megabytes"]), seconds)


@contextmanager
def on_a_gpu(meter: Meter) -> Iterator[None]:
    """The loss adds up its weight's gradient as on a GPU: in one product, of factors as they are."""
    before = loss._add_product

    def add(total: torch.Tensor, left: torch.Tensor, right: torch.Tensor) -> None:
        flops = 2.0 * left.shape[0] * left.shape[1] * right.shape[1]
        read = sum(map(size, (total, left, right)))
        meter.charge("addmm", Cost(1, flops, read, size(total)))

    loss._add_product = add
    try:
        yield
    finally:
        loss._add_product = before
