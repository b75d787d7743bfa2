"""Adapters on tensors without values: what peft and bitsandbytes ask of a device that these do not have."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import nn

from skrull_runtime.model import build
from skrull_runtime.model.adapters.four_bit import KIND, FourBit

BLOCK, BLOCK_OF_SCALES = 64, 256  # weights of a scale, and scales of a scale's scale
CODES = 256
FOUR_BIT_PRODUCT = "gemm_4bit"


@contextmanager
def without_values() -> Iterator[None]:
    """Lets models with adapters be built and run meanwhile: weights in four bits have their sizes and nothing in them, and
    no precision is chosen by a device."""
    patches = (
        mock.patch.object(FourBit, "finish", _empty_four_bit),
        mock.patch.object(build, "current_device", lambda: torch.device("meta")),
        mock.patch("peft.tuners.lora.layer.torch.autocast", _no_autocast),
    )
    with contextlib.ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        yield


def _no_autocast(*_: Any, **__: Any) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


def _empty_four_bit(own: FourBit, name: str, parameter: nn.Parameter) -> nn.Parameter:
    """As ``quantize_4bit`` of bitsandbytes leaves it, with the scales quantised too."""
    from bitsandbytes.functional import QuantState
    from bitsandbytes.nn import Params4bit

    if name.removesuffix(".weight") not in own.names:
        return parameter
    scales = math.ceil(parameter.numel() / BLOCK)
    codes = torch.empty(CODES, device="meta")
    of_scales = QuantState(
        absmax=torch.empty(math.ceil(scales / BLOCK_OF_SCALES), device="meta"),
        code=codes,
        blocksize=BLOCK_OF_SCALES,
        dtype=torch.float32,
    )
    state = QuantState(
        absmax=torch.empty(scales, dtype=torch.uint8, device="meta"),
        shape=parameter.shape,
        code=torch.empty(16, device="meta"),
        blocksize=BLOCK,
        quant_type=KIND,
        dtype=parameter.dtype,
        offset=torch.empty((), device="meta"),
        state2=of_scales,
    )
    packed = torch.empty(math.ceil(parameter.numel() / 2), 1, dtype=torch.uint8, device="meta")
    made: nn.Parameter = Params4bit(packed, False, state, BLOCK, True, KIND, bnb_quantized=True)
    return made


def unpacked(arguments: Any) -> torch.Tensor:
    """The weight that a product in four bits writes out, of as many tokens as training has (``_dequant_linear_fallback`` of
    bitsandbytes), which is gone when the product is there."""
    rows, _, shape, *_ = arguments
    return torch.empty(shape, dtype=rows.dtype, device=rows.device)
