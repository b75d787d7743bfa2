"""The matrices of a model's layers that can have adapters, by what they are for: told by the model itself, for the compiler
and for the run alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from ...errors import UserError

Kind = Literal["attention", "mlp", "experts", "router"]

# In the names of modules.
MIXERS = ("attn", "attention", "mamba", "mixer", "conv")
ROUTERS = ("gate", "router")
EXPERTS = "experts"
# Of modules, where experts are stacked: peft takes these names for parts of the stack (`_MOE_TARGET_MODULE_MAPPING`), here and
# wherever it loads the adapters, so that other MLPs of such a model can have none.
OF_EXPERTS = ("gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")


@dataclass(frozen=True)
class Matrix:
    """A linear module, or the stacked weights of all experts of a layer."""

    name: str  # of the module or, of stacked weights, the parameter
    kind: Kind
    inputs: int
    outputs: int
    stacked: int | None = None  # experts in one parameter

    @property
    def own_name(self) -> str:
        """The last part of its name."""
        return self.name.rpartition(".")[2]

    def adapter_size(self, rank: int) -> int:
        """Parameters of its adapter."""
        return rank * (self.inputs + self.outputs) * (self.stacked or 1)


def matrices_of(model: nn.Module) -> list[Matrix]:
    """Those of all layers, in the order of the model. Raises UserError where the model has no layers that recompute."""
    found = [own for name, layer in layers_of(model) for own in _of_layer(name, layer)]
    if all(own.stacked is None for own in found):
        return found
    return [own for own in found if own.stacked is not None or own.own_name not in OF_EXPERTS]


def layers_of(model: nn.Module) -> Sequence[tuple[str, nn.Module]]:
    """The decoder layers and their names. Raises UserError where there are none that transformers can recompute."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    found = [
        (name, own)
        for name, own in model.named_modules()
        if isinstance(own, GradientCheckpointingLayer)
    ]
    if not found:
        raise UserError("it has no layers that transformers can recompute")
    return found


def _of_layer(prefix: str, layer: nn.Module) -> Iterator[Matrix]:
    for name, module in layer.named_modules():
        kind = _kind(name)
        widths = _widths(module)
        if widths is not None:
            yield Matrix(f"{prefix}.{name}", kind, *widths)
        elif EXPERTS in name.split("."):
            for own, parameter in module.named_parameters(recurse=False):
                shape = tuple(getattr(parameter, "ds_shape", parameter.shape))
                if len(shape) == 3 and not own.endswith("bias"):
                    # As peft has them: experts, outputs, inputs, unless the module says otherwise.
                    turned = getattr(module, "is_transposed", False)
                    inputs, outputs = shape[1:] if turned else shape[:0:-1]
                    yield Matrix(f"{prefix}.{name}.{own}", "experts", inputs, outputs, shape[0])


def _widths(module: nn.Module) -> tuple[int, int] | None:
    """Inputs and outputs; None where it is not linear."""
    from transformers.pytorch_utils import Conv1D

    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    return (module.nx, module.nf) if isinstance(module, Conv1D) else None


def _kind(name: str) -> Kind:
    """Of a module, by its name in its layer."""
    parts = name.split(".")
    if is_mixer(name):
        return "attention"
    if EXPERTS in parts:
        return "experts"
    return "router" if any(part in ROUTERS for part in parts) else "mlp"


def is_mixer(name: str) -> bool:
    """Whether a module of a layer, or a parameter of it, mixes tokens: attention, or what a layer has in its place."""
    return any(part in name.split(".")[0] for part in MIXERS)
