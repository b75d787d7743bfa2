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
from ..model.build import base_of
from ..process.agreement import attempted, require_success
from ..shapes import JsonObject

FOLDER = "model"


def export_model(
    model: nn.Module,
    output: Path,
    run_dir: Path,
    stage: int,
    source: str | None,
    data: DataConfig,
) -> Path:
    """Writes ``output/model``: weights, configuration, tokenizer, chat template and stop tokens as trained. For a model
    with adapters, only the adapters' weights are written. They belong to the model with the exported configuration, whose
    rotary embeddings may differ from the publisher's.

    ``source``: hub name of the pretrained weights, or their folder relative to the data root, which the export states as
    its base; None for random weights. It never says where the root is on this machine.

    Collective: under ZeRO-3 every rank takes part in gathering. Rank 0 holds one copy of what is written in host memory.
    Raises UserError where the model cannot be written; an earlier export is then unchanged.
    """
    weights = _whole_weights(model, stage)
    folder = output / FOLDER
    problem = None
    if dist.get_rank() == 0:
        _state_base(model, source or "")
        _, problem = attempted(lambda: _write(model, weights, folder, run_dir, data))
    require_success(problem)
    return folder


def _state_base(model: nn.Module, source: str) -> None:
    base_of(model).config.name_or_path = source
    for adapters in getattr(model, "peft_config", {}).values():
        adapters.base_model_name_or_path = source


def _whole_weights(model: nn.Module, stage: int) -> dict[str, torch.Tensor]:
    """The trained parameters by name, on the host of rank 0; empty on other ranks. Without adapters, all parameters."""
    adapters = hasattr(model, "peft_config")
    weights: dict[str, torch.Tensor] = {}
    for name, parameter in model.named_parameters():
        if adapters and not parameter.requires_grad:
            continue
        with deepspeed.zero.GatheredParameters([parameter], enabled=stage == 3):
            if dist.get_rank() == 0:
                weights[name] = parameter.detach().to("cpu", copy=True)
    return weights


def _write(
    model: Any, weights: dict[str, torch.Tensor], folder: Path, run_dir: Path, data: DataConfig
) -> None:
    """Writes beside the folder, then takes its place. Raises UserError where the disk does not allow it."""
    partial = folder.with_name(f"{folder.name}.partial")
    with writing(folder, "the model"):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        disable_progress_bar()
        # Otherwise peft asks the hub whether the vocabulary was changed; our adapters never change it.
        options: JsonObject = (
            {"save_embedding_layers": False} if hasattr(model, "peft_config") else {}
        )
        model.save_pretrained(partial, state_dict=weights, **options)
        base_of(model).config.save_pretrained(partial)  # peft does not write it
        write_served(partial, run_dir, data)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(partial, folder)
