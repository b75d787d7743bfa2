"""What the backward recomputes of a model's layers (``checkpointing``), and how its MLPs process a micro-batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast
from weakref import WeakKeyDictionary

from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from ..config import ModelConfig
from ..contract.vocabularies import Checkpointing
from .kernels.kept import keeping_attention
from .offload import LayerInputs
from .tiled import TiledMlp

Layer = Callable[..., Any]

# What families call the MLP of a layer; with experts it may have a name of its own.
MLPS = (".mlp", ".feed_forward", ".block_sparse_moe", ".ffn", ".moe")

# Ways in which a whole layer runs again, with its collectives: those of shared sequences, and of weights under ZeRO 3.
WHOLE_LAYERS: frozenset[Checkpointing] = frozenset(("attention", "full", "offload"))


def recomputes_layers(mode: Checkpointing) -> bool:
    """Whether every layer runs again in the backward, with its attention kernel or without."""
    return mode in WHOLE_LAYERS


class Recomputation:
    """What the backward recomputes of a model: nothing ("none"), every layer's MLP ("selective"), every decoder layer but its
    attention kernel ("attention"), or every decoder layer ("full", and "offload", which keeps its input on the host).
    Micro-batches of no more tokens than a lighter mode has memory for run under the lightest such.

    MLPs process ``mlp_tile`` tokens at a time, if set, in micro-batches of more tokens; they are then recomputed tile by tile
    whatever the mode. All ranks go by the tokens of the fullest: recomputation runs collectives again, and ZeRO reduces
    gradients in the order in which they come, which is another one of tiles.

    Raises UserError where the MLPs have experts and a tile is set.
    """

    def __init__(self, model: PreTrainedModel, config: ModelConfig):
        self._tokens = 0
        self._heaviest = self._mode = config.checkpointing
        self._lighter = [
            (entry["tokens"], entry["checkpointing"]) for entry in config.lighter_checkpointing
        ]
        self._ways = {mode: _layer_of(mode) for mode in self.modes if recomputes_layers(mode)}
        if self._ways:
            _checkpoint_layers(model, self._call_layer)
        for name, module in model.named_modules():
            if name.endswith(MLPS):
                self._set_mlp(module, config)

    @property
    def modes(self) -> list[Checkpointing]:
        """All that micro-batches may run under, least recomputation first."""
        return [*(mode for _, mode in self._lighter), self._heaviest]

    @property
    def recomputes_layers(self) -> bool:
        """Whether the layers of the micro-batch run again in the backward."""
        return recomputes_layers(self._mode)

    def mode_of(self, tokens: int) -> Checkpointing:
        """What a micro-batch runs under whose fullest rank has that many tokens."""
        fitting = (mode for most, mode in self._lighter if tokens <= most)
        return next(fitting, self._heaviest)

    def share_of_less(self, tokens: list[int]) -> float | None:
        """Of micro-batches whose fullest ranks have so many tokens, the share that runs under a lighter mode; None where there
        is none, or no micro-batch."""
        if not self._lighter or not tokens:
            return None
        return sum(self.mode_of(own) != self._heaviest for own in tokens) / len(tokens)

    def begin(self, tokens: int) -> None:
        """Begins a micro-batch whose fullest rank has that many tokens: for its forward and backward."""
        self._tokens, self._mode = tokens, self.mode_of(tokens)

    def _call_layer(self, layer: Layer, *inputs: Any) -> Any:
        way = self._ways.get(self._mode)
        return layer(*inputs) if way is None else way(layer, *inputs)

    def _set_mlp(self, module: nn.Module, config: ModelConfig) -> None:
        forward: Layer = module.forward
        again = partial(checkpoint, forward, use_reentrant=False)

        def whole(*inputs: Any, **more: Any) -> Any:
            way = again if self._mode == "selective" else forward
            return way(*inputs, **more)

        tile = config.mlp_tile
        if tile is None:
            if "selective" in self.modes:
                module.forward = whole
            return
        tiles = TiledMlp(module, forward, tile)
        module.forward = lambda hidden: (tiles if self._tokens > tile else whole)(hidden)


def recomputation_of(model: nn.Module) -> Recomputation:
    """That of a model of transformers that ``build_model`` has made, without its wrapper of adapters."""
    return _known[model]


def set_recomputation(model: PreTrainedModel, config: ModelConfig) -> None:
    """Sets what the backward recomputes. Raises UserError as :class:`Recomputation` does."""
    _known[model] = Recomputation(model, config)


_known: WeakKeyDictionary[nn.Module, Recomputation] = WeakKeyDictionary()


def _layer_of(mode: Checkpointing) -> Layer:
    """What calls a layer, given its function and inputs, so that it is recomputed."""
    ways: dict[Checkpointing, Layer] = {
        "attention": partial(checkpoint, use_reentrant=False, context_fn=keeping_attention),
        "full": partial(checkpoint, use_reentrant=False),
        "offload": LayerInputs().checkpoint,
    }
    return ways[mode]


def _checkpoint_layers(model: PreTrainedModel, call: Layer) -> None:
    layers = [each for each in model.modules() if isinstance(each, GradientCheckpointingLayer)]
    assert layers, "every supported family has layers that transformers can checkpoint"
    for layer in cast(list[Any], layers):
        layer.gradient_checkpointing = True
        layer._gradient_checkpointing_func = call
