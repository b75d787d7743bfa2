"""Program of memory.mjs: ``memory.py MODEL OUT [CASE...]``: memory of a rank's micro-batches of a model, on tensors without
values.

A document of the cases of a model, or of the named ones, by name. Every figure is in bytes, as four numbers that hold for
any number of layers L and of tokens T of the rank: what is fixed, and what is there per layer, per token, and per layer and
token. They are found from two numbers of layers and two of tokens.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch
import torch.distributed as dist
import transformers
from adapted import without_values
from charge import Gpu
from faked import Meta
from ledger import STATES, TRANSIENT
from meter import Meter
from places import PHASES, PlacedLedger
from plain import blank
from subject import FakeModel, Setting, Subject
from world import start

from skrull_runtime.batches.layout import Layout, ShardGroup
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.segments import windows_in
from skrull_runtime.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    SchedulingConfig,
    TrainConfig,
)
from skrull_runtime.contract.records import Adapters
from skrull_runtime.contract.vocabularies import Checkpointing
from skrull_runtime.model.build import base_of
from skrull_runtime.model.offload import PIECE, Pieces

MODELS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent / "memory-models.json").read_bytes()
)
LAYERS, TOKENS = (2, 3), (8192, 16384)
OTHER_TOKENS = 10240  # that figures are held to, with one more layer
# More where layers' inputs leave for the host: those of the last few are still on the GPU, and not yet of all.
MORE_LAYERS = 4
CONSIDERED = [2**power for power in range(10, 21)]  # tokens
SHOWN = ("mlp", "attention", "kernel")  # phases whose peaks are shown by kind
DEGREE = 8  # of context parallelism
SEQUENCES = 8  # packed into a rank's bucket
# Of a rank's tokens: sequences of its own, one of its own, its part of one that all ranks share, half and half.
LAYOUTS = ("packed", "alone", "shared", "mixed")
WHOLE = "whole"  # all weights are trained
FIXED_FORWARDS = (
    "dora",
)  # kinds whose forwards hold most, with few tokens, of what no token makes
LOSS_CHUNK = 2048
RANK = 16  # of adapters
MOST_WORKSPACE = 4 * 2**30  # as `attentionWorkspace` of src/plan/memory-plan.ts
# Models whose MLPs are also taken in tiles: that of experts has none.
TILED = ("meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-7B", "Qwen/Qwen3-8B", "bigcode/starcoder2-3b")
GPU = Gpu("any", 1e15, 1e12)  # times are not looked at

Figure = list[float]  # fixed, per layer, per token, per layer and token
# Bytes by kind: of what is kept, and at the peaks of phases, by their bytes of gradients of weights.
Held = dict[tuple[str, int], dict[str, int]]
Points = dict[tuple[int, int], Held]  # by layers and tokens
Way = tuple[Checkpointing, str, bool]  # checkpointing, what is trained, tiles


@dataclass(frozen=True)
class Case:
    """What a rank's memory depends on, besides its model."""

    checkpointing: Checkpointing
    layout: str  # of LAYOUTS
    trained: str  # all weights, or a key of ADAPTERS
    kernel: str = "flash2"
    tiled: bool = False  # MLPs, as many tokens at a time as the model is wide

    @property
    def name(self) -> str:
        """Of the case in the document."""
        tiles = ("tiled",) if self.tiled else ()
        return " ".join((self.checkpointing, self.layout, self.trained, self.kernel, *tiles))


@dataclass(frozen=True)
class Imagined:
    """A run that nobody compiled. See :class:`.subject.Run`."""

    config: RunConfig
    scheduling: SchedulingConfig

    @classmethod
    def of(
        cls, checkpointing: Checkpointing, lora: Adapters | None, tile: int | None = None
    ) -> Imagined:
        """Gradients are kept between micro-batches."""
        model = ModelConfig(
            "random", "bf16", checkpointing, loss_chunk=LOSS_CHUNK, lora=lora, mlp_tile=tile
        )
        adamw: Any = {"type": "adamw", "lr": 1e-5, "betas": [0.9, 0.95], "eps": 1e-8}
        train = TrainConfig(1, adamw, {"type": "constant", "warmup_steps": 0}, 0, reduction="once")
        data = DataConfig(None, "bytes", "all", DEGREE * TOKENS[1], "error")
        cost: Any = None  # nothing is scheduled
        scheduling = SchedulingConfig(
            1, DEGREE, TOKENS[1], "zigzag", cost, "packed", "local-or-all", "lockstep", 1, 0
        )
        return cls(RunConfig(model, data, train), scheduling)


class Watched:
    """A model of so many layers, whose memory is noted by place and phase."""

    def __init__(self, name: str, layers: int, way: Way):
        checkpointing, trained, tiled = way
        configuration = {**MODELS[name], "num_hidden_layers": layers}
        tile = configuration["hidden_size"] if tiled else None
        run = Imagined.of(checkpointing, ADAPTERS.get(trained), tile)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.json"
            file.write_text(json.dumps(configuration))
            fake, self._windows = FakeModel.of(run, Path(folder), Meta()), windows_in(file)
        start(DEGREE, moves=False)
        self._ledger = PlacedLedger()
        meter = Meter(GPU, ledger=self._ledger)
        self._subject = Subject(run, fake, Setting(GPU, "flash2"), meter)
        self._ledger.watch(self._subject.wrapped)
        self._have_gradients()
        self._have_a_host()

    def _have_a_host(self) -> None:
        """Its memory is none of the card's: layers' inputs that leave for it all go to the same place."""
        with self._subject.fake:
            place = torch.empty(PIECE, dtype=torch.uint8)
            self._ledger.enter(place, STATES[0])
        Pieces._make = lambda _: place

    def _have_gradients(self) -> None:
        """As after the first micro-batch of a step: what is added later exists beside them."""
        with self._subject.fake:
            for parameter in self._subject.model.parameters():
                if parameter.requires_grad:
                    parameter.grad = torch.zeros_like(parameter)
                    self._ledger.enter(parameter.grad, STATES[1])

    def found(self, case: Case, tokens: int) -> Held:
        """Bytes by what they are for: kept after the forward, at the peak of a phase, and of all at every phase's peak."""
        own, ledger = self._subject, self._ledger
        workspace = self._workspace(tokens) if case.layout in ("shared", "mixed") else None
        own.slicing, own.kernel = replace(own.slicing, workspace=workspace), case.kernel
        ledger.begin()
        with ledger.exchanging(), own.meter.inside(TRANSIENT):  # at no cost but memory
            own.run_once(self._batch(case.layout, tokens), 0)
        found: Held = {("kept", 0): besides_states(ledger.kept)}
        # A forward in tiles needs what one of them does or, with many tokens, what comes behind; the backward needs more.
        left_out = ("forward",) if case.tiled or case.trained in FIXED_FORWARDS else ()
        counted = [own for own in ledger.peaks if own[0] not in left_out]
        order = sorted(counted, key=lambda own: (PHASES.index(own[0]), own[1]))
        return found | {own: besides_states(ledger.peaks[own][1]) for own in order}

    def _workspace(self, tokens: int) -> int:
        """As plans have it: two layers' gathered keys and values."""
        config = base_of(self._subject.model).config
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        gathered = DEGREE * tokens * 2 * config.num_key_value_heads * width * 2
        return min(MOST_WORKSPACE, 2 * gathered)

    def _batch(self, layout: str, tokens: int) -> MicroBatch:
        """All tokens have targets."""
        own = dict(zip(LAYOUTS, (tokens, tokens, 0, tokens // 2), strict=True))[layout]
        count = 1 if layout == "alone" else SEQUENCES
        local = (own // count,) * count if own else ()
        chunk = (tokens - own) // 2
        groups = (ShardGroup(0, DEGREE, (count,), (chunk,)),) if chunk else ()
        made = Layout(0, local, tuple(range(len(local))), groups)
        return blank(made, tokens, tokens, self._windows)


def besides_states(held: dict[str, int]) -> dict[str, int]:
    """The other kinds."""
    return {kind: own for kind, own in sorted(held.items()) if kind not in STATES and own}


LORA: Adapters = {"rank": RANK, "alpha": 2 * RANK, "dropout": 0.0, "targets": ["all-linear"]}
# Adapters by their kind.
ADAPTERS: dict[str, Adapters] = {
    "lora": LORA,
    "dora": {**LORA, "dora": True},
    "experts": {**LORA, "targets": ["attention", "experts"]},
    "nf4": {**LORA, "base": "nf4", "double_quantisation": True},
}
# Further kinds that models are also taken with, under modes that differ in what runs again.
MORE_ADAPTERS = {
    "meta-llama/Llama-3.1-8B": ("dora", "nf4"),
    "Qwen/Qwen2.5-0.5B": ("dora", "nf4"),
    "Qwen/Qwen3-8B": ("dora",),
    "bigcode/starcoder2-3b": ("nf4",),
    "mistralai/Mixtral-8x7B-v0.1": ("dora", "experts"),
    "Qwen/Qwen3-30B-A3B": ("experts",),
}
MORE_MODES: tuple[Checkpointing, ...] = ("none", "selective", "full")


def cases(model: str) -> list[Case]:
    """All of a model: each of its ways, and for some models other kernels, and one long sequence."""
    modes = get_args(Checkpointing)
    layouts, trained = ("packed", "shared"), (WHOLE, "lora")
    found = [Case(*own) for own in itertools.product(modes, layouts, trained)]
    found += [Case(mode, "mixed", WHOLE) for mode in modes]
    more = MORE_ADAPTERS.get(model, ())
    found += [Case(*own) for own in itertools.product(MORE_MODES, ("packed",), more)]
    if model in TILED:
        again = ("attention", "full", "offload")
        tiled = itertools.product(again, layouts, (WHOLE,))
        found += [Case(*own, tiled=True) for own in tiled]
    if model in ("meta-llama/Llama-3.1-8B", "Qwen/Qwen2.5-0.5B"):
        found += [Case(mode, "alone", WHOLE) for mode in modes]
        for kernel in ("flash3", "varlen"):
            found += [Case("selective", layout, WHOLE, kernel) for layout in layouts]
    return found


def layers_of(checkpointing: Checkpointing) -> tuple[int, int]:
    """Two numbers of layers that figures are found from."""
    more = MORE_LAYERS if checkpointing == "offload" else 0
    return LAYERS[0] + more, LAYERS[1] + more


def figures(points: dict[tuple[int, int], int]) -> Figure:
    """The four numbers, from bytes by layers and tokens."""
    few, many = sorted({layers for layers, _ in points})
    short, long = TOKENS
    least, wider, deeper, most = (points[own] for own in itertools.product((few, many), TOKENS))
    both = (most - deeper - wider + least) / ((many - few) * (long - short))
    token = (wider - least) / (long - short) - both * few
    layer = (deeper - least) / (many - few) - both * short
    fixed = least - both * few * short - token * short - layer * few
    return [int(own) if own == int(own) else own for own in (fixed, layer, token, both)]


def at(figure: Figure, layers: int, tokens: int) -> float:
    """Bytes by the four numbers."""
    fixed, layer, token, both = figure
    return fixed + layer * layers + token * tokens + both * layers * tokens


def measured(model: str, wanted: list[Case]) -> dict[str, Any]:
    """Figures of cases, by their names. Raises ValueError where they do not hold for a third number of layers and tokens."""
    ways: dict[Way, list[Case]] = {}
    for case in wanted:
        ways.setdefault((case.checkpointing, case.trained, case.tiled), []).append(case)
    made: dict[Case, dict[str, Any]] = {}
    for way, own in ways.items():
        mode, trained, tiled = way
        tiles = ", tiled" if tiled else ""
        print(f"{model}, {mode}, {trained}{tiles}", file=sys.stderr, flush=True)
        points: list[Points] = [{} for _ in own]
        for layers in layers_of(mode):
            with watching(model, layers, way) as watched:
                for tokens, (case, into) in itertools.product(
                    TOKENS, zip(own, points, strict=True)
                ):
                    into[layers, tokens] = watched.found(case, tokens)
        made |= {case: of_points(into) for case, into in zip(own, points, strict=True)}
        layers, tokens = layers_of(mode)[-1] + 1, OTHER_TOKENS
        with watching(model, layers, way) as watched:
            found = watched.found(own[-1], tokens)
            require(made[own[-1]], found, (layers, tokens), f"{model}, {own[-1].name}")
    return {case.name: made[case] for case in wanted}


@contextmanager
def watching(model: str, layers: int, way: Way) -> Iterator[Watched]:
    """A model, and none afterwards, so that another one can be built."""
    with without_values():
        try:
            yield Watched(model, layers, way)
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()


def of_points(points: Points) -> dict[str, Any]:
    """What is kept, by kind; for every phase, figures of which the largest is the peak, and the kinds of that which is the
    largest for most layers and tokens."""
    least, *others = points.values()
    if any(own.keys() != least.keys() for own in others):
        raise ValueError("the phases have different gradients of weights for different tokens")
    parts = {
        part: {
            kind: figures({place: own[part].get(kind, 0) for place, own in points.items()})
            for kind in dict.fromkeys(kind for own in points.values() for kind in own[part])
        }
        for part in least
    }
    kept = parts.pop(("kept", 0))
    phases = [phase for phase in PHASES if any(part[0] == phase for part in parts)]
    made: dict[str, Any] = {"kept": kept, "peaks": {}, "at peak": {}}
    for phase in phases:
        ways = [kinds for part, kinds in parts.items() if part[0] == phase]
        made["peaks"][phase] = largest([whole(kinds) for kinds in ways])
        if phase in SHOWN:
            made["at peak"][phase] = max(
                ways, key=lambda kinds: at(whole(kinds), LAYERS[-1], TOKENS[-1])
            )
    return made


def whole(kinds: dict[str, Figure]) -> Figure:
    """Of all kinds."""
    return [sum(numbers) for numbers in zip(*kinds.values(), strict=True)]


def largest(ways: list[Figure]) -> list[Figure]:
    """Those that are the largest for some number of tokens."""
    winners = [max(ways, key=lambda way: at(way, 2, tokens)) for tokens in CONSIDERED]
    return [way for way in ways if way in winners]


def require(made: dict[str, Any], found: Held, place: tuple[int, int], name: str) -> None:
    """Raises ValueError where the figures do not hold there."""
    held = {"kept": sum(found["kept", 0].values())}
    for (phase, _), kinds in found.items():
        held[phase] = max(held.get(phase, 0), sum(kinds.values()))
    figured = {"kept": [whole(made["kept"])], **made["peaks"]}
    for phase, ways in figured.items():
        if max(at(way, *place) for way in ways) != held[phase]:
            raise ValueError(f"{name}: {phase} is not linear in layers and tokens")


def setting() -> dict[str, Any]:
    """What all cases have in common."""
    return {
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "layers": LAYERS,
        "tokens": TOKENS,
        "precision": "bf16",
        "loss_chunk": LOSS_CHUNK,
        "shared_by": DEGREE,
        "packed_sequences": SEQUENCES,
        "lora_rank": RANK,
        "figures": ["fixed", "per layer", "per token", "per layer and token"],
    }


def main() -> int:
    """The exit code."""
    model, out, *names = sys.argv[1:]
    wanted = [case for case in cases(model) if not names or case.name in names]
    Path(out).write_text(json.dumps({"setting": setting(), "cases": measured(model, wanted)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
