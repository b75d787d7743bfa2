"""QLoRA (arXiv:2305.14314): the frozen matrices of layers in NF4, by bitsandbytes."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, cast

import torch
from torch import nn
from transformers import PreTrainedModel

from ...errors import UserError
from .matrices import matrices_of

KIND = "nf4"
QUANTISED = ("attention", "mlp")


class FourBit:
    """The matrices of a model that are kept in four bits, and how they become so: while weights are placed, one at a time.

    Embedding, head, norms, biases, routers and experts keep the model's precision. Raises UserError where bitsandbytes is
    missing, or where experts are one tensor, which it cannot keep so.
    """

    def __init__(self, model: PreTrainedModel, double: bool):
        """``double``: whether the scales of blocks are quantised too."""
        _bitsandbytes()
        matrices = matrices_of(model)
        if any(own.stacked is not None for own in matrices):
            raise UserError(
                "lora: bitsandbytes keeps no experts in four bits whose weights are one tensor: compile with base = model"
            )
        self._double = double
        self.names = [
            own.name
            for own in matrices
            if own.kind in QUANTISED and type(model.get_submodule(own.name)) is nn.Linear
        ]
        self._weights = {f"{name}.weight" for name in self.names}

    def finish(self, name: str, parameter: nn.Parameter) -> nn.Parameter:
        """A parameter as it is kept: in four bits, if it is one of these."""
        if name not in self._weights:
            return parameter
        made: nn.Parameter = (
            _bitsandbytes()
            .nn.Params4bit(
                parameter.data,
                requires_grad=False,
                quant_type=KIND,
                compress_statistics=self._double,
            )
            .to(parameter.device)
        )
        return made

    def replace_modules(self, model: PreTrainedModel, precision: torch.dtype) -> None:
        """Puts modules that compute with such weights, in ``precision``, in the place of linear ones."""
        for name in self.names:
            own = model.get_submodule(name)
            assert isinstance(own, nn.Linear)
            made = _frozen_linear()(
                own.in_features,
                own.out_features,
                bias=own.bias is not None,
                compute_dtype=precision,
                compress_statistics=self._double,
                quant_type=KIND,
                device="meta",
            )
            made.weight, made.bias = own.weight, own.bias
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, made)
        cast(Any, model).is_loaded_in_4bit = True  # peft asks for it


@cache
def _bitsandbytes() -> Any:
    """Raises UserError where it is missing."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore")
            import bitsandbytes
    except ImportError as error:
        raise UserError(
            "lora { base = nf4 } needs bitsandbytes: pip install -r requirements.txt"
        ) from error
    return bitsandbytes


@cache
def _frozen_linear() -> Any:
    class Frozen4bit(_bitsandbytes().nn.Linear4bit):  # type: ignore[misc]
        """Its weight is no part of a checkpoint: a resumed run reads and quantises it again."""

        def __init__(self, *arguments: Any, **settings: Any):
            super().__init__(*arguments, **settings)
            # bitsandbytes would pack the weight for the processor while the model is evaluated, and not undo it.
            self.support_avx512bf16_for_cpu = False

        def _save_to_state_dict(self, *_: Any) -> None:
            pass

        def _load_from_state_dict(self, *_: Any) -> None:
            pass

    return Frozen4bit
