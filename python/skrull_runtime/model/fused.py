"""Options for fewer kernels in a layer, besides its attention: Liger's fused ones, and compiled norms."""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

from ..errors import UserError


def use_liger(model: PreTrainedModel, device: torch.device) -> None:
    """Gives the model's norms, rotary embeddings and gated MLPs the kernels of Liger
    (https://github.com/linkedin/Liger-Kernel). The loss stays skrull's, which keeps the head's gradient in fp32.

    Raises UserError where Liger is not installed, or has no kernels for this model or device.
    """
    if device.type != "cuda":
        raise UserError("kernels = liger needs a GPU; leave it out")
    try:
        from liger_kernel.transformers import monkey_patch
    except ImportError as error:
        raise UserError(
            f"kernels = liger needs liger-kernel ({error}): pip install liger-kernel"
        ) from error
    kind = model.config.model_type
    if kind not in monkey_patch.MODEL_TYPE_TO_APPLY_LIGER_FN:
        raise UserError(f"Liger has no kernels for models of type {kind}; leave kernels out")
    # Models ignore those that they have no use for.
    monkey_patch._apply_liger_kernel_to_instance(
        model=model,
        rope=True,
        rms_norm=True,
        swiglu=True,
        geglu=True,
        cross_entropy=False,
        fused_linear_cross_entropy=False,
    )


def compile_norms(model: nn.Module, backend: str = "inductor") -> None:
    """Compiles every norm, for any number of tokens. Modules that contain others are left alone: ZeRO 3 gathers their
    weights one by one."""
    for module in model.modules():
        if type(module).__name__.endswith("Norm") and not any(True for _ in module.children()):
            module.forward = torch.compile(module.forward, dynamic=True, backend=backend)
