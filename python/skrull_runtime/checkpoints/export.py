"""The trained model as a Hugging Face folder, or its adapters as a peft folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from torch import nn
from transformers.utils.logging import disable_progress_bar

from ..config import DataConfig
from ..data.served import write_served
from ..guarding.disk import writing
from ..model.adapters.ends import end_of
from ..model.build import base_of
from ..process.agreement import attempted, require_success
from ..shapes import JsonObject
from .merged import write_merged

FOLDER = "model"


def export_model(
    model: nn.Module,
    output: Path,
    run_dir: Path,
    stage: int,
    source: str | None,
    data: DataConfig,
    resized: bool = False,
    merge: bool = False,
) -> Path:
    """Writes ``output/model``: weights, configuration, tokenizer, chat template and stop tokens as trained. For a model
    with adapters, only the adapters' weights are written. They belong to the model with the exported configuration, whose
    rotary embeddings may differ from the publisher's.

    ``source``: hub name of the pretrained weights, or their folder relative to the data root, which the export states as
    its base; None for random weights. It never says where the root is on this machine. ``resized``: whether the vocabulary has
    been made larger than that of the stored weights; embedding and head are then written too. ``merge``: writes the whole
    model, with the adapters in its weights.

    Collective: under ZeRO-3 every rank takes part in gathering. Rank 0 holds one copy of what is written in host memory,
    of a merged model one file's. Raises UserError where the model cannot be written; an earlier export is then unchanged.
    """
    folder = output / FOLDER
    partial = _partial(folder)
    own = dist.get_rank() == 0
    if own:
        _state_base(model, source or "")
    require_success(attempted(lambda: _begin(folder, partial))[1] if own else None)
    if merge:
        problem = write_merged(model, partial if own else None, stage == 3)
    else:
        weights = _whole_weights(model, stage, resized)
        problem = attempted(lambda: _save(model, weights, folder, resized))[1] if own else None
    if own and problem is None:
        _, problem = attempted(lambda: _finish(model, folder, merge, run_dir, data))
    require_success(problem)
    return folder


def _begin(folder: Path, partial: Path) -> None:
    """An empty folder beside the export."""
    with writing(folder, "the model"):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)


def _state_base(model: nn.Module, source: str) -> None:
    base_of(model).config.name_or_path = source
    for adapters in getattr(model, "peft_config", {}).values():
        adapters.base_model_name_or_path = source
        for names in ("target_modules", "target_parameters"):  # in no order of a set
            if getattr(adapters, names, None):
                setattr(adapters, names, sorted(getattr(adapters, names)))


def _whole_weights(model: nn.Module, stage: int, resized: bool) -> dict[str, torch.Tensor]:
    """The trained parameters by name, on the host of rank 0; empty on other ranks. Without adapters, all parameters. What
    is shared has each of its names where peft looks for it."""
    adapters = hasattr(model, "peft_config")
    ends = _ends_of(model) if resized else set()
    weights: dict[str, torch.Tensor] = {}
    found: dict[int, torch.Tensor] = {}
    for name, parameter in model.named_parameters(remove_duplicate=not adapters):
        if adapters and not parameter.requires_grad and id(parameter) not in ends:
            continue
        if id(parameter) not in found:
            with deepspeed.zero.GatheredParameters([parameter], enabled=stage == 3):
                if dist.get_rank() == 0:
                    found[id(parameter)] = parameter.detach().to("cpu", copy=True)
                else:
                    found[id(parameter)] = torch.empty(0)
        if dist.get_rank() == 0:
            weights[name] = found[id(parameter)]
    return weights


def _ends_of(model: nn.Module) -> set[int]:
    base = base_of(model)
    ends = (base.get_input_embeddings(), base.get_output_embeddings())
    return {id(own) for end in ends for own in end_of(end).module.parameters(recurse=False)}


def _save(model: Any, weights: dict[str, torch.Tensor], folder: Path, resized: bool) -> None:
    """Writes weights beside the folder. Raises UserError where the disk does not allow it."""
    with writing(folder, "the model"):
        disable_progress_bar()
        # Otherwise peft asks the hub whether the vocabulary was changed.
        options: JsonObject = (
            {"save_embedding_layers": resized} if hasattr(model, "peft_config") else {}
        )
        model.save_pretrained(_partial(folder), state_dict=weights, **options)


def _finish(model: nn.Module, folder: Path, merged: bool, run_dir: Path, data: DataConfig) -> None:
    """Adds what belongs to the weights, and puts all in the folder's place. Raises as :func:`_save` does."""
    base, partial = base_of(model), _partial(folder)
    with writing(folder, "the model"):
        if merged:
            base.config.architectures = [type(base).__name__]
            base.config.dtype = base.dtype
            if base.generation_config is not None:
                base.generation_config.save_pretrained(partial)
        base.config.save_pretrained(partial)  # peft does not write it
        write_served(partial, run_dir, data)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)


def _partial(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.partial")
