"""The Hugging Face model of a run, checked before anything is trained."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from . import attention
from .config import ModelConfig
from .data import inside
from .errors import UserError
from .refusals import refuse_unsupported

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def build_model(config: ModelConfig, run_dir: Path, root: Path | None, seed: int) -> nn.Module:
    """The model with its weights and checkpointing set up; the same on every rank.

    Raises UserError where the configuration cannot be trained right, or the weights cannot be had.
    """
    attention.register()
    hf_config = _read_config(run_dir)
    dtype = DTYPES[config.precision]
    if config.weights == "random":
        torch.manual_seed(seed % 2**63)
        model = AutoModelForCausalLM.from_config(
            hf_config, dtype=dtype, attn_implementation=attention.NAME
        )
    else:
        model = _pretrained(config, hf_config, root, dtype)
    _set_checkpointing(model, config.checkpointing)
    if config.lora is not None:
        model = with_adapters(model, config.lora, seed)
    return model.train()


def _read_config(run_dir: Path) -> PretrainedConfig:
    try:
        config = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"config.json: cannot be read ({error}); compile again") from error
    refuse_unsupported(config)
    return AutoConfig.from_pretrained(run_dir, trust_remote_code=False)


def with_adapters(model: PreTrainedModel, lora: dict[str, Any], seed: int) -> nn.Module:
    """The model, frozen, with trainable low-rank adapters (``rank``, ``alpha``, ``dropout``, ``targets``) of peft.

    Raises UserError where peft is missing or no module has a target's name.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise UserError("lora needs peft: pip install -r requirements.txt") from error
    torch.manual_seed(seed % 2**63)
    adapters = LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=list(lora["targets"]),
        bias="none",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # peft asks transformers by a name that is about to change.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\..*")
        return get_peft_model(model, adapters)


def base_of(model: nn.Module) -> PreTrainedModel:
    """The model of transformers, without the wrapper of its adapters, if it has any."""
    return model.get_base_model() if hasattr(model, "peft_config") else model


def _pretrained(
    config: ModelConfig, hf_config: PretrainedConfig, root: Path | None, dtype: torch.dtype
) -> nn.Module:
    assert config.source is not None
    folder = config.source_kind == "folder"
    if folder:
        assert root is not None
        source = str(inside(root, config.source))
        if not Path(source).is_dir():
            raise UserError(f"{source}: there is no folder with the model's weights")
    else:
        source = config.source
    try:
        return AutoModelForCausalLM.from_pretrained(
            source,
            config=hf_config,
            revision=config.revision or "main",
            dtype=dtype,
            attn_implementation=attention.NAME,
            trust_remote_code=False,
            local_files_only=folder or os.environ.get("HF_HUB_OFFLINE") == "1",
        )
    except OSError as error:
        advice = (
            "it must hold the weights"
            if folder
            else "is this machine online, and are you logged in to the hub?"
        )
        raise UserError(
            f"the weights of '{source}' cannot be loaded ({advice}): {error}"
        ) from error


def _set_checkpointing(model: PreTrainedModel, mode: str) -> None:
    """ "full" recomputes every decoder layer in the backward, "selective" its MLP only."""
    if mode == "full":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    elif mode == "selective":
        for name, module in model.named_modules():
            if name.endswith(".mlp"):
                _recompute(module)


def _recompute(module: nn.Module) -> None:
    forward = module.forward
    module.forward = lambda *args, **kwargs: checkpoint(
        forward, *args, use_reentrant=False, **kwargs
    )
