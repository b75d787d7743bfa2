"""The Hugging Face model of a run, checked before anything is trained."""

from __future__ import annotations

import json
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from ..config import ModelConfig
from ..contract.records import Adapters
from ..data.index import inside
from ..errors import UserError
from ..process.agreement import by_rank_0, together
from ..refusals import refuse_unsupported
from ..shapes import DeepSpeedConfig
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
    ds_config: DeepSpeedConfig | None = None,
) -> nn.Module:
    """The model with its weights, and with checkpointing set up; partitioned if DeepSpeed's configuration has ZeRO 3.

    Collective: rank 0 alone makes or reads the weights, and distributes them. Raises UserError on all ranks where the
    configuration cannot be trained correctly, or the weights cannot be read or are not those of the model.
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
    whole = model if lora is None else together(lambda: with_adapters(model, lora, seed))
    whole.train()
    return whole


def _configuration(config: ModelConfig, run_dir: Path, root: Path | None) -> PretrainedConfig:
    hf_config = _read_config(run_dir)
    if config.weights == "pretrained":
        hf_config.name_or_path = _source(config, root)
    return hf_config


def _source(config: ModelConfig, root: Path | None) -> str:
    """The folder of the pretrained weights, or their name on the hub."""
    assert config.source is not None
    if config.source_kind != "folder":
        return config.source
    assert root is not None
    return str(inside(root, config.source))


def _with_weights(
    config: ModelConfig, hf_config: PretrainedConfig, seed: int, ds_config: DeepSpeedConfig
) -> PreTrainedModel:
    made_here = config.weights == "random" and is_root()
    torch.manual_seed(seed % 2**63)
    with nullcontext() if made_here else without_parameters():
        model: PreTrainedModel = AutoModelForCausalLM.from_config(
            hf_config, dtype=DTYPES[config.precision], attn_implementation=attention.NAME
        )
    if config.weights == "pretrained":
        matching = by_rank_0(lambda: _matching(config, model))

        def stored(name: str, _: nn.Parameter) -> torch.Tensor:
            assert matching is not None, "only rank 0 is asked for values"
            return matching.value(name)

        place(model, stored, current_device(), ds_config)
    elif is_shared(ds_config):
        # Drawing may take longer than the others would wait for a broadcast.
        by_rank_0(lambda: None)
        place(model, lambda _, parameter: parameter.detach(), current_device(), ds_config)
    return model


def _matching(config: ModelConfig, model: PreTrainedModel) -> Matching:
    folder, revision = config.source_kind == "folder", config.revision or "main"
    source = model.config.name_or_path
    assert source is not None
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
    hf_config: PretrainedConfig = AutoConfig.from_pretrained(run_dir, trust_remote_code=False)
    return hf_config


def with_adapters(model: PreTrainedModel, lora: Adapters, seed: int) -> nn.Module:
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
        # peft uses a name of transformers that is about to change.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"transformers\..*")
        adapted: nn.Module = get_peft_model(model, adapters)
        return adapted


def base_of(model: Any) -> PreTrainedModel:
    """The model of transformers, without the wrapper of its adapters if it has any."""
    return cast(PreTrainedModel, model.get_base_model() if hasattr(model, "peft_config") else model)


def _set_checkpointing(model: PreTrainedModel, mode: str) -> None:
    """Sets what the backward recomputes: every decoder layer ("full"), all of it but its attention kernel ("attention"), or
    only its MLP ("selective")."""
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
