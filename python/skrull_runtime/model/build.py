"""The Hugging Face model of a run, checked before anything is trained."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

from ..config import ModelConfig
from ..contract.records import AdapterSource
from ..data.index import inside
from ..errors import UserError
from ..process.agreement import by_rank_0, together
from ..refusals import refuse_unsupported
from ..shapes import DeepSpeedConfig
from . import attention
from .adapters.four_bit import FourBit
from .adapters.start import start_from
from .adapters.wrap import takes_whole_weights, with_adapters
from .families.checked import parsed_config, require_checked
from .families.decoders import decoder_of
from .fused import compile_norms, use_liger
from .recomputation import set_recomputation
from .weights.files import find_files, set_generation
from .weights.growing import ends_of, grown
from .weights.matching import Matching
from .weights.placing import (
    current_device,
    is_partitioned,
    is_root,
    is_shared,
    place,
    without_parameters,
)

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
    hf_config, of_parts = together(lambda: _configuration(config, run_dir, root))
    by_rank_0(lambda: require_checked(run_dir))
    model = _with_weights(config, hf_config, of_parts, seed, ds_config or {})
    if config.kernels == "liger":
        together(lambda: use_liger(model, current_device()))
    if config.compile_norms:
        compile_norms(model)
    together(lambda: set_recomputation(model, config))
    lora, partitioned = config.lora, is_partitioned(ds_config or {})
    whole = (
        model if lora is None else together(lambda: with_adapters(model, lora, seed, partitioned))
    )
    if lora is not None and "start" in lora:
        start_from(whole, lora, _start(lora["start"], root), _hub_name(config))
    gathers_more = config.mlp_tile is not None or (lora is not None and takes_whole_weights(lora))
    if lora is not None and partitioned and gathers_more:
        # DeepSpeed reduces the gradients of modules that it gathers as one (tiled MLPs, adapters that take whole weights)
        # once it has that of their input, and would not wait for them if the input had none: that of the first layer.
        model.enable_input_require_grads()
    whole.train()
    return whole


def _configuration(
    config: ModelConfig, run_dir: Path, root: Path | None
) -> tuple[PretrainedConfig, bool]:
    """The configuration of what trains, and whether it is a part of the model whose weights are read."""
    parsed = parsed_config(run_dir)
    refuse_unsupported(parsed)
    hf_config, whole = decoder_of(parsed)
    if config.weights == "pretrained":
        hf_config.name_or_path = _source(config, root)
    return hf_config, hf_config is not whole


def _source(config: ModelConfig, root: Path | None) -> str:
    """The folder of the pretrained weights, or their name on the hub."""
    assert config.source is not None
    if config.source_kind != "folder":
        return config.source
    assert root is not None
    return str(inside(root, config.source))


def _start(start: AdapterSource, root: Path | None) -> AdapterSource:
    """With the place of a folder on this machine."""
    if start["kind"] == "hub":
        return start
    assert root is not None
    return {**start, "name": str(inside(root, start["name"]))}


def _hub_name(config: ModelConfig) -> str | None:
    return config.source if config.source_kind == "hub" else None


def _with_weights(
    config: ModelConfig,
    hf_config: PretrainedConfig,
    of_parts: bool,
    seed: int,
    ds_config: DeepSpeedConfig,
) -> PreTrainedModel:
    made_here = config.weights == "random" and is_root()
    torch.manual_seed(seed % 2**63)
    with nullcontext() if made_here else without_parameters():
        model: PreTrainedModel = AutoModelForCausalLM.from_config(
            hf_config, dtype=DTYPES[config.precision], attn_implementation=attention.NAME
        )
    four_bit = together(lambda: _four_bit(config, model, ds_config))
    finish = {} if four_bit is None else {"finish": four_bit.finish}
    if config.weights == "pretrained":
        matching = by_rank_0(lambda: _matching(config, model, of_parts))

        def stored(name: str, parameter: nn.Parameter) -> torch.Tensor:
            assert matching is not None, "only rank 0 is asked for values"
            value = matching.value(name)
            return grown(value, parameter) if config.stored_vocabulary else value

        place(model, stored, current_device(), ds_config, **finish)
    elif is_shared(ds_config) or four_bit is not None:
        # Drawing may take longer than the others would wait for a broadcast.
        by_rank_0(lambda: None)
        place(model, lambda _, parameter: parameter.detach(), current_device(), ds_config, **finish)
    if four_bit is not None:
        four_bit.replace_modules(model, DTYPES[config.precision])
    return model


def _four_bit(
    config: ModelConfig, model: PreTrainedModel, ds_config: DeepSpeedConfig
) -> FourBit | None:
    """Raises UserError where it cannot be."""
    lora = config.lora
    if lora is None or lora.get("base", "model") == "model":
        return None
    if is_partitioned(ds_config):
        raise UserError(
            "lora: weights in four bits cannot be partitioned by ZeRO 3: compile with zero = 2"
        )
    return FourBit(model, lora.get("double_quantisation", True))


def _matching(config: ModelConfig, model: PreTrainedModel, of_parts: bool) -> Matching:
    folder, revision = config.source_kind == "folder", config.revision or "main"
    source = model.config.name_or_path
    assert source is not None
    if folder and not Path(source).is_dir():
        raise UserError(f"{source}: there is no folder with the model's weights")
    growing = ends_of(model) if config.stored_vocabulary else ()
    matching = Matching(model, find_files(source, folder, revision), of_parts, growing)
    matching.require_complete()
    set_generation(model, source, folder, revision)
    return matching


def base_of(model: Any) -> PreTrainedModel:
    """The model of transformers, without the wrapper of its adapters if it has any."""
    return cast(PreTrainedModel, model.get_base_model() if hasattr(model, "peft_config") else model)
