"""What live memory is for, by the part of the model that made it, and the most of it in every phase of a micro-batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from ledger import KEPT, STATES, TRANSIENT, WORKSPACE, Ledger
from torch import nn

from skrull_runtime.model.exchange import Arriving
from skrull_runtime.model.sharded import Sharded

# Of a micro-batch. The backward is of the head, then of every layer's MLP, with what is recomputed of the layer, and of its
# attention, then of the embedding. Attention's kernel, while it has a workspace, is a phase of its own.
PHASES = ("forward", "loss", "head", "mlp", "attention", "kernel", "embedding")
BACKWARD = PHASES[2:]
RECOMPUTED, WORKING, GATHERED = "recomputed", "working", "gathered"
WEIGHT_GRADIENT = "gradient of a weight"  # not yet the parameter's own

# By the last part of a module's name. What is made in none of them within a layer is the residual stream.
PLACES = {
    "embed_tokens": "embedding",
    "rotary_emb": "rotary",
    "input_layernorm": "input norm",
    "self_attn": "attention",
    "q_norm": "query and key norms",
    "k_norm": "query and key norms",
    "post_attention_layernorm": "post norm",
    "mlp": "mlp",
    "gate": "router",
    "experts": "experts",
    "norm": "final norm",
    "loss": "loss",
}


class PlacedLedger(Ledger):
    """Of the forward, tensors are entered by place; of the backward, by whether they are recomputed."""

    def __init__(self) -> None:
        super().__init__()
        self.phase, self._stack = PHASES[0], ["model"]
        self._weights: set[tuple[int, ...]] = set()
        self.kept: dict[str, int] = {}
        # By phase and bytes of gradients of weights, which are the same for any number of tokens.
        self.peaks: dict[tuple[str, int], tuple[int, dict[str, int]]] = {}

    def enter(self, tensor: torch.Tensor, kind: str = TRANSIENT) -> None:
        """A tensor whose storage may be new."""
        super().enter(tensor, self._kind(tensor) if kind == TRANSIENT else kind)

    def is_for(self, tensor: torch.Tensor, kind: str) -> None:
        """A tensor turns out to be for that. That it is kept is seen at the end of the forward."""
        if kind != KEPT:
            super().is_for(tensor, kind)

    def _kind(self, tensor: torch.Tensor) -> str:
        if self.phase != PHASES[0] and _sorted(tensor) in self._weights:
            return WEIGHT_GRADIENT
        if self.phase not in BACKWARD:
            return self._stack[-1]
        return RECOMPUTED if torch.is_grad_enabled() or len(self._stack) > 1 else WORKING

    def begin(self) -> None:
        """A micro-batch."""
        self.phase, self.peaks = PHASES[0], {}
        self.forget_peak()

    def enters(self, phase: str) -> None:
        """The next phase has begun."""
        if phase == "head":
            self.kept = +Counter(self._held)
        self.phase = phase

    def _look(self) -> None:
        super()._look()
        held = self._held.total() - sum(self._held[kind] for kind in STATES)
        phase = "kernel" if self._held[WORKSPACE] else self.phase
        key = phase, self._held[WEIGHT_GRADIENT]
        if key not in self.peaks or self.peaks[key][0] < held:
            self.peaks[key] = held, +self._held

    def watch(self, model: nn.Module) -> None:
        """Notes the phases, and the places of tensors, of a :class:`skrull_runtime.model.loss.SummedLossModel`."""
        self._weights = {_sorted(own) for own in model.parameters() if own.dim() > 1}
        for name, module in model.named_modules():
            place = _place_of(name)
            if place is not None:
                module.register_forward_pre_hook(self._pushing(place))
                module.register_forward_hook(self._popping, always_call=True)
            if place == "loss":
                module.register_forward_pre_hook(lambda *_: self.enters("loss"))
            elif place == "final norm":
                module.register_forward_pre_hook(lambda _, inputs: self._at(inputs[0], "mlp"))
            elif place in ("embedding", "mlp", "attention"):
                module.register_forward_hook(self._at_output_of(place))
        model.register_forward_hook(lambda *_: self.enters("head"))

    def _pushing(self, place: str) -> Callable[..., None]:
        return lambda *_: self._stack.append(place)

    def _popping(self, *_: Any) -> None:
        self._stack.pop()

    def _at_output_of(self, place: str) -> Callable[..., None]:
        return lambda _, __, made: self._at(made[0] if isinstance(made, tuple) else made, place)

    def _at(self, tensor: torch.Tensor, phase: str) -> None:
        """The phase begins when that tensor's gradient is there."""
        if tensor.requires_grad and self.phase not in BACKWARD:
            tensor.register_hook(lambda _: self.enters(phase))

    @contextmanager
    def exchanging(self) -> Iterator[None]:
        """Keys and values of others, and gradients on their way to them, are gathered meanwhile."""
        made, arrived = Arriving.__init__, Sharded.arrived

        def on_made(arriving: Arriving, tensor: torch.Tensor, work: Any) -> None:
            made(arriving, tensor, work)
            self.is_for(tensor, GATHERED)

        def on_arrived(sharded: Sharded, arriving: Arriving | None) -> Any:
            keys, values = arrived(sharded, arriving)
            self.is_for(keys, GATHERED)
            return keys, values

        Arriving.__init__, Sharded.arrived = on_made, on_arrived  # type: ignore[method-assign]
        try:
            yield
        finally:
            Arriving.__init__, Sharded.arrived = made, arrived  # type: ignore[method-assign]


def _sorted(tensor: torch.Tensor) -> tuple[int, ...]:
    """Its sizes, whichever way it lies."""
    return tuple(sorted(tensor.shape))


def _place_of(name: str) -> str | None:
    parts = name.split(".")
    return PLACES.get(parts[-1], "residual" if len(parts) > 1 and parts[-2] == "layers" else None)
