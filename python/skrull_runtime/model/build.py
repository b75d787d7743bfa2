"""The Hugging Face model of a run, checked before anything is trained."""

from __future__ import annotations

import json
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from ..config import ModelConfig
from ..data.index import inside
from ..errors import UserError
from ..process.agreement import by_rank_0, together
from ..refusals import refuse_unsupported
from . import attention
from .fused import compile_norms, use_liger
from .kernels.kept import keeping_attention
from .weights.files import find_files, set_generation
from .weights.matching import Matching
from .weights.placing import current_device, is_root, is_shared, place, without_parameters

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


def build_model(
    config: ModelConfig,
    run_dir: Path,
    root: Path | None,
    seed: int,
    ds_config: dict[str, Any] | None = None,
) -> nn.Module:
    """The model with its weights and checkpointing set up; partitioned, where DeepSpeed's configuration has ZeRO 3.

    Collective: rank 0 alone has or reads the weights, and hands them out. Raises UserError, on all ranks, where the
    configuration cannot be trained right, or the weights cannot be had or are not the model's.
    """
    attention.register()
    hf_config = together(lambda: _configuration(config, run_dir, root))
    model = _with_weights(config, hf_config, seed, ds_config or {})
    if config.kernels == "liger":
        together(lambda: use_liger(model, current_device()))
    if config.compile_norms:
        compile_norms(model)
    _set_checkpointing(model, config.checkpointing)
    lora = config.lora
    if lora is not None:
        base = model
        model = together(lambda: with_adapters(base, lora, seed))
    return model.train()


def _configuration(config: ModelConfig, run_dir: Path, root: Path | None) -> PretrainedConfig:
    hf_config = _read_config(run_dir)
    if config.weights == "pretrained":
        hf_config.name_or_path = _source(config, root)
    return hf_config


def _source(config: ModelConfig, root: Path | None) -> str:
    """Folder of the pretrained weights, or their name on the hub."""
    assert config.source is not None
    if config.source_kind != "folder":
        return config.source
    assert root is not None
    return str(inside(root, config.source))


def _with_weights(
    config: ModelConfig, hf_config: PretrainedConfig, seed: int, ds_config: dict[str, Any]
) -> PreTrainedModel:
    made_here = config.weights == "random" and is_root()
    torch.manual_seed(seed % 2**63)
    with nullcontext() if made_here else without_parameters():
        model = AutoModelForCausalLM.from_config(
            hf_config, dtype=DTYPES[config.precision], attn_implementation=attention.NAME
        )
    if config.weights == "pretrained":
        matching = by_rank_0(lambda: _matching(config, model))
        place(model, lambda name, _: matching.value(name), current_device(), ds_config)
    elif is_shared(ds_config):
        by_rank_0(lambda: None)  # it may draw for longer than the others would wait for a broadcast
        place(model, lambda _, parameter: parameter.detach(), current_device(), ds_config)
    return model


def _matching(config: ModelConfig, model: PreTrainedModel) -> Matching:
    folder, revision = config.source_kind == "folder", config.revision or "main"
    source = model.config.name_or_path
    if folder and not Path(source).is_dir():
        raise UserError(f"{source}: there is no folder with the model's weights")
    matching = Matching(model, find_files(source, folder, revision))
    matching.require_complete()
    set_generation(model, source, folder, revision)
    return matching


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


def _set_checkpointing(model: PreTrainedModel, mode: str) -> None:
    """ "full" recomputes every decoder layer in the backward, "attention" all of it but its attention kernel,
    "selective" its MLP only."""
    if mode in ("full", "attention"):
        kept = {"context_fn": keeping_attention} if mode == "attention" else {}
        model.gradient_checkpointing_enable(
            gradient_checkpointing_kwargs={"use_reentrant": False, **kept}
        )
    elif mode == "selective":
        for name, module in model.named_modules():
            if name.endswith(".mlp"):
                _recompute(module)


def _recompute(module: nn.Module) -> None:
    forward = module.forward
    module.forward = lambda *args, **kwargs: checkpoint(
        forward, *args, use_reentrant=False, **kwargs
    )
