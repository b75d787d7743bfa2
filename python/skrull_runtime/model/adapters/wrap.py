"""A model with the adapters of a run, made by peft."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import cast

import torch
from deepspeed.utils import set_z3_leaf_module
from torch import nn
from transformers import PreTrainedModel
from transformers.integrations import HfDeepSpeedConfig, unset_hf_deepspeed_config

from ...contract.records import Adapters
from ...errors import UserError
from ..weights.placing import is_root
from .ends import options_of
from .targets import find_targets


def with_adapters(
    model: PreTrainedModel, lora: Adapters, seed: int, partitioned: bool = False
) -> nn.Module:
    """The model, frozen, with trainable low-rank adapters (``rank``, ``alpha``, ``dropout``, ``targets``) of peft.

    ``partitioned``: whether its weights are partitioned over the ranks; then this is collective. Raises UserError where peft is missing, or where a target is none of the model's matrices.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("lora needs peft: pip install -r requirements.txt") from error
    targets = find_targets(model, lora["targets"])
    torch.manual_seed(seed % 2**63)
    config = LoraConfig(
        r=lora["rank"],
        lora_alpha=cast(int, lora["alpha"]),
        lora_dropout=lora["dropout"],
        target_modules=targets.modules,
        target_parameters=targets.parameters or None,
        use_rslora=lora.get("rslora", False),
        use_dora=lora.get("dora", False),
        bias="none",
        **options_of(model, lora),
        task_type="CAUSAL_LM",
    )
    if partitioned and "token_rows" in lora:
        raise UserError(
            "lora: rows of new tokens cannot be trained under ZeRO 3: compile with zero = 2, or with"
            " modules_to_save = [embedding, head]"
        )
    with _quietly(), _gathering() if partitioned else nullcontext():
        # Under ZeRO 3 all that is trained has one type: whole ends have the model's, where peft's adapters would be in fp32.
        one_type = partitioned and bool(lora.get("modules_to_save"))
        adapted: nn.Module = get_peft_model(model, config, autocast_adapter_dtype=not one_type)
    if partitioned and takes_whole_weights(lora):
        _gather_together(adapted)
    _tell_of_another_size(lora, adapted)
    return adapted


def trained_parameters(model: nn.Module) -> int:
    """Parameters that have gradients, whole, on whichever ranks they are."""
    return sum(
        int(getattr(own, "ds_numel", own.numel()))
        for own in model.parameters()
        if own.requires_grad
    )


def _tell_of_another_size(lora: Adapters, model: nn.Module) -> None:
    """Says so where the plan has counted otherwise."""
    planned, found = lora.get("parameters"), trained_parameters(model)
    if planned is not None and planned != found and is_root():
        print(
            f"warning: {found:,} parameters are trained, and the plan counted {planned:,}:"
            " its memory and times are those of other adapters",
            flush=True,
        )


@contextmanager
def _gathering() -> Iterator[None]:
    """Lets peft gather partitioned weights where it computes with them: DoRA begins with their norms."""
    known = HfDeepSpeedConfig({"zero_optimization": {"stage": 3}})
    try:
        yield
    finally:
        unset_hf_deepspeed_config()
        del known


def takes_whole_weights(lora: Adapters) -> bool:
    """Whether peft computes with an adapter's frozen weights outside the forward of their own module: the norms of DoRA, and
    the weights of stacked experts."""
    return lora.get("dora", False) or "experts" in lora["targets"]


def _gather_together(adapted: nn.Module) -> None:
    """Has ZeRO 3 gather adapted modules with their adapters, where peft computes with the weights of both."""
    from peft.tuners.lora.layer import LoraLayer, ParamWrapper

    for module in adapted.modules():
        whole = isinstance(module, LoraLayer) and any(module.use_dora.values())
        if whole or isinstance(module, ParamWrapper):
            set_z3_leaf_module(module, True)


@contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        # peft uses a name of transformers that is about to change.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\..*")
        # GPT-2's modules hold their weights the other way round, and peft says that it has noticed.
        warnings.filterwarnings("ignore", message="fan_in_fan_out is set to False")
        yield
