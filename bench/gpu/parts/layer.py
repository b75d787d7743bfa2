"""Kernel launches and times of one decoder layer with the runtime's attention, beside the layer as it comes.

``--predicted FILE`` holds ``{"layer": [{"model", "layout", "forward_ms", "step_ms", "launches"}]}``; what it says of a model and
a layout stands beside what was measured. Collectives move nothing here, and cost nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from budget import Budget
from document import Column, Result, Row, failed
from settings import Settings, fast_kernels_of
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoConfig, AutoModel
from world import OwnGroups, start

from skrull_runtime.batches.collate import collate
from skrull_runtime.data.tokens import Tokens
from skrull_runtime.errors import UserError
from skrull_runtime.model.attention import NAME, AttentionContext, register
from skrull_runtime.model.kernels.kernel import Kernel

PLAIN = "plain"
MODELS = ("qwen2.5-0.5b", "qwen2.5-7b", "qwen3-8b")
TOKENS, SMALL_TOKENS = 16384, 512
DEGREE = 8
VOCABULARY = 256  # the layer alone counts
LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel")  # beginnings of names
COLUMNS = (
    Column("model", "", "whose layer it is"),
    Column("kernel", "", "attention kernel; plain: the Hugging Face layer with PyTorch's SDPA"),
    Column("layout", "", "sequences of a rank's tokens"),
    Column("tokens", "tokens", "of the rank"),
    Column("forward_ms", "ms", "a forward"),
    Column("step_ms", "ms", "forward and backward"),
    Column("forward_launches", "", "kernels that a forward starts; None without a GPU"),
    Column("launches", "", "that forward and backward start"),
    Column("operators", "", "of PyTorch in forward and backward, views left out"),
    Column("of_plain", "", "time of plain on the same tokens over this step's"),
    Column("predicted_forward_ms", "ms", "by --predicted"),
    Column("predicted_step_ms", "ms", "likewise"),
    Column("predicted_launches", "", "likewise"),
)


@dataclass(frozen=True)
class Arrangement:
    """A rank's tokens as equal sequences, whole or sharded."""

    sequences: int
    degree: int = 1

    @property
    def name(self) -> str:
        """For people, and in predictions."""
        return f"{self.sequences} {'whole' if self.degree == 1 else f'sharded over {self.degree}'}"

    def length(self, tokens: int) -> int:
        """Of a sequence."""
        return self.degree * tokens // self.sequences


ARRANGEMENTS = (
    Arrangement(1),
    Arrangement(16),
    Arrangement(256),
    Arrangement(1, DEGREE),
    Arrangement(16, DEGREE),
)


class Operators(TorchDispatchMode):
    """Counts what is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        """Counts it and goes on."""
        self.count += not getattr(function, "is_view", False)
        return function(*args, **(kwargs or {}))


class Layer:
    """A decoder layer on tokens of one arrangement."""

    def __init__(self, folder: Path, attention: str, settings: Settings):
        config = AutoConfig.from_pretrained(folder)
        config.num_hidden_layers, config.vocab_size = 1, VOCABULARY
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:1]
        model = AutoModel.from_config(
            config, dtype=settings.precision, attn_implementation=attention
        )
        self.config, self.settings = model.config, settings
        self._model = model.to(settings.device).train()
        self._layer = self._model.layers[0]

    def call(self, positions: torch.Tensor, **more: Any) -> tuple[Callable[[], Any], ...]:
        """Its forward, and forward and backward, at positions ``[batch, T]``."""
        shape = (*positions.shape, self.config.hidden_size)
        hidden, gradient = (
            torch.randn(shape, device=positions.device).to(self.settings.precision)
            for _ in range(2)
        )
        hidden.requires_grad_()
        rotary = self._model.rotary_emb(hidden, positions)

        def forward() -> torch.Tensor:
            return self._layer(
                hidden,
                attention_mask=None,
                position_ids=positions,
                position_embeddings=rotary,
                **more,
            )

        def step() -> None:
            hidden.grad = None
            self._layer.zero_grad(set_to_none=True)
            forward().backward(gradient)

        return forward, step


def run(settings: Settings, budget: Budget) -> Result:
    """Measures model by model."""
    kernels, missing = fast_kernels_of(settings)
    predicted = _predictions(settings.predicted)
    start(DEGREE)
    register()
    groups = OwnGroups()
    groups.prepare([DEGREE])
    result = Result(COLUMNS, [], missing, kernels=[kernel.name for kernel in kernels])
    for model in ("small",) if settings.small else MODELS:
        folder = settings.run_folder(f"memory-{model}-none")
        measure = Measure(folder, groups, settings, budget, result)
        measure.plain(model)
        measure.packed(model, kernels, predicted)
    return result


@dataclass
class Measure:
    """Rows of one model's layer."""

    folder: Path
    groups: OwnGroups
    settings: Settings
    budget: Budget
    result: Result
    plain_ms: dict[str, float] = field(default_factory=dict)  # of forward and backward, by layout

    def plain(self, model: str) -> None:
        """The layer as it comes."""
        layer = Layer(self.folder, "sdpa", self.settings)
        for own in ARRANGEMENTS:
            if own.degree == 1:
                row = self._row(f"{model}, plain, {own.name}", partial(_plain, layer, own))
                if row is not None:
                    self.plain_ms[own.name] = row["step_ms"]
                    self.result.rows.append({"model": model, **row})

    def packed(
        self, model: str, kernels: list[Kernel], predicted: dict[tuple[str, str], Row]
    ) -> None:
        """With the runtime's attention."""
        layer = Layer(self.folder, NAME, self.settings)
        for kernel in kernels:
            for own in ARRANGEMENTS:
                make = partial(_packed, layer, own, kernel, self.groups)
                row = self._row(f"{model}, {kernel.name}, {own.name}", make)
                if row is None:
                    continue
                if own.name in self.plain_ms:
                    row["of_plain"] = self.plain_ms[own.name] / row["step_ms"]
                row |= predicted.get((model, own.name), {})
                self.result.rows.append({"model": model, **row})

    def _row(self, what: str, make: Callable[[Settings], Row]) -> Row | None:
        if not self.budget.allows(what):
            return None
        try:
            return make(self.settings)
        except RuntimeError as error:
            self.result.notes.append(failed(what, error))
            return None


def _plain(layer: Layer, own: Arrangement, settings: Settings) -> Row:
    tokens = _tokens(settings)
    length = own.length(tokens)
    positions = torch.arange(length, device=settings.device).expand(own.sequences, length)
    calls = layer.call(positions)
    return {"kernel": PLAIN, "layout": own.name, "tokens": tokens, **_measured(calls, settings)}


def _packed(
    layer: Layer, own: Arrangement, kernel: Kernel, groups: OwnGroups, settings: Settings
) -> Row:
    tokens = _tokens(settings)
    lengths = [own.length(tokens)] * own.sequences
    placements = [
        {"sequence": number, "first_rank": 0, "degree": own.degree}
        for number in range(len(lengths))
    ]
    schedule = {"micro_batches": [{"placements": placements}]}
    zeros = Tokens([0] * lengths[0], [0] * lengths[0])
    (micro_batch,) = collate(schedule, 0, lengths, lambda _: zeros)
    micro_batch = micro_batch.to(settings.device)
    context = AttentionContext(micro_batch.plan, groups, kernel)
    calls = layer.call(micro_batch.position_ids, skrull=context)
    row: Row = {"kernel": kernel.name, "layout": own.name, "tokens": micro_batch.size}
    return row | _measured(calls, settings)


def _measured(calls: tuple[Callable[[], Any], ...], settings: Settings) -> Row:
    forward, step = calls
    with Operators() as operators:
        step()
    machine = settings.machine
    return {
        "forward_ms": machine.milliseconds(forward, settings.repeats),
        "step_ms": machine.milliseconds(step, settings.repeats),
        "forward_launches": _launches(forward, settings),
        "launches": _launches(step, settings),
        "operators": operators.count,
    }


def _launches(call: Callable[[], Any], settings: Settings) -> int | None:
    if not settings.machine.is_gpu:
        return None
    settings.machine.synchronize()
    counts = []
    for _ in range(2):  # the first makes the profiler ready, which may lose what starts then
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiled:
            call()
            settings.machine.synchronize()
        counts.append(sum(event.name.startswith(LAUNCHES) for event in profiled.events()))
    return max(counts)


def _tokens(settings: Settings) -> int:
    return SMALL_TOKENS if settings.small else TOKENS


def _predictions(path: Path | None) -> dict[tuple[str, str], Row]:
    """By model and layout."""
    if path is None:
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["layer"]
        return {
            (row["model"], row["layout"]): {
                f"predicted_{name}": row.get(name) for name in ("forward_ms", "step_ms", "launches")
            }
            for row in rows
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: holds no predictions of layers ({error!r})") from error
