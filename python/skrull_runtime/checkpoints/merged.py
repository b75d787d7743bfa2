"""A model with its adapters merged into its weights, written a part at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import deepspeed
import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion
from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

from ..guarding.disk import writing
from ..model.adapters.ends import ADAPTER, rows_of, with_rows
from ..model.build import base_of
from ..process.agreement import Problem, attempted

# A file is as large, and the tensors of a layer larger.
SHARD_BYTES = 2**30
WRAPPERS = (".base_layer", f".modules_to_save.{ADAPTER}", ".token_adapter")

Weights = dict[str, torch.Tensor]


class Merging(NamedTuple):
    """A parameter of the merged model: what it is made of, and how."""

    name: str
    weight: nn.Parameter
    adapted: list[Any]  # peft's modules around it, whose adapters are added

    def parts(self) -> list[nn.Parameter]:
        """All parameters that must be whole."""
        found = [own for module in self.adapted for own in _own_parameters(module)]
        return [self.weight, *found]

    def value(self) -> torch.Tensor:
        """The merged weight, made in fp32 and rounded once to the model's precision, on the host."""
        total = self.weight.detach()
        for module in self.adapted:
            total = _merged(module, total)
        return total.to("cpu", self.weight.dtype, copy=True).contiguous()


def mergings_of(model: nn.Module) -> list[Merging]:
    """Every parameter of the merged model, in the order of the model; tied ones once. Embeddings with trained rows are whole."""
    base = base_of(model)
    around: dict[int, list[Any]] = {}
    for module in base.modules():
        for own in _adapted_by(module):
            around.setdefault(id(own), []).append(module)
    return [
        Merging(_plain(name), own, around.get(id(own), []))
        for name, own in base.named_parameters()
        if _stays(name)
    ]


def write_merged(model: nn.Module, folder: Path | None, partitioned: bool) -> Problem | None:
    """Writes the weights into ``folder``, on rank 0; others give None, and take part in gathering. Returns why they cannot be
    written, on rank 0.

    Collective. Rank 0 holds one file's tensors in host memory, or a layer's if these are more.
    """
    base = base_of(model)
    problem: Problem | None = None
    keys: list[list[str]] = []
    total = 0
    for shard in _shards(mergings_of(model), partitioned):
        if folder is None or problem is not None:
            continue
        stored, problem = attempted(partial(_save, base, shard, folder / _part(len(keys))))
        if stored is not None:
            keys.append(sorted(stored))
            total += sum(stored.values())
    if folder is not None and problem is None:
        _, problem = attempted(partial(_name_parts, folder, keys, total))
    return problem


def _save(base: PreTrainedModel, weights: Weights, file: Path) -> dict[str, int]:
    """Writes tensors as the family stores them; returns their bytes. Raises UserError where the disk does not allow it."""
    stored = {
        key: own.clone(memory_format=torch.contiguous_format) if _is_view(own) else own
        for key, own in revert_weight_conversion(base, weights).items()
    }
    with writing(file, "the model"):
        save_file(stored, file, metadata={"format": "pt"})
    return {key: own.numel() * own.element_size() for key, own in stored.items()}


def _is_view(tensor: torch.Tensor) -> bool:
    """Of a larger tensor, or in another order."""
    whole = tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    return not whole or not tensor.is_contiguous()


def _shards(mergings: list[Merging], partitioned: bool) -> Iterator[Weights]:
    """Tensors of a file, by their names in the model. Layers stay together, as stored tensors may be made of several."""
    held: Weights = {}
    bytes_held, layer = 0, ""
    for merging in mergings:
        own_layer = _layer(merging.name)
        if bytes_held >= SHARD_BYTES and own_layer != layer:
            yield held
            held, bytes_held = {}, 0
        layer = own_layer
        with deepspeed.zero.GatheredParameters(merging.parts(), enabled=partitioned):
            if dist.get_rank() == 0:
                held[merging.name] = merging.value()
        weight = merging.weight
        bytes_held += int(getattr(weight, "ds_numel", weight.numel())) * weight.element_size()
    yield held


def _name_parts(folder: Path, keys: list[list[str]], total: int) -> None:
    """Gives the files the names that transformers looks for."""
    count = len(keys)
    if count == 1:
        (folder / _part(0)).rename(folder / SAFE_WEIGHTS_NAME)
        return
    places: dict[str, str] = {}
    for number, own in enumerate(keys):
        name = f"model-{number + 1:05d}-of-{count:05d}.safetensors"
        (folder / _part(number)).rename(folder / name)
        places |= dict.fromkeys(own, name)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
    (folder / SAFE_WEIGHTS_INDEX_NAME).write_text(json.dumps(index, indent=2) + "\n")


def _part(number: int) -> str:
    return f"part-{number}.safetensors"


def _layer(name: str) -> str:
    """Up to the number of the layer."""
    parts = name.split(".")
    number = next((n for n, part in enumerate(parts) if part.isdecimal()), len(parts))
    return ".".join(parts[: number + 1])


def _stays(name: str) -> bool:
    """Whether it is a weight of the model, and not of an adapter or an end that another stands for."""
    parts = name.split(".")
    adapters = any(part.startswith(("lora_", "trainable_tokens_")) for part in parts)
    return not adapters and "original_module" not in parts


def _plain(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.replace(wrapper, "")
    return name


def _adapted_by(module: Any) -> list[nn.Parameter]:
    """The frozen parameter that a module of peft adapts."""
    from peft.tuners.lora.layer import LoraLayer, ParamWrapper

    if isinstance(module, ParamWrapper):
        return [module.get_param()]
    if isinstance(module, LoraLayer):
        return [module.get_base_layer().weight]
    # A tied head shares the rows of the embedding: they are put in once.
    if hasattr(module, "trainable_tokens_delta") and module.tied_adapter is None:
        return [module.base_layer.weight]
    return []


def _own_parameters(module: Any) -> list[nn.Parameter]:
    """Of its adapter."""
    if hasattr(module, "trainable_tokens_delta"):
        return [module.trainable_tokens_delta[ADAPTER]]
    names = ("lora_A", "lora_B", "lora_magnitude_vector")
    parts = [getattr(module, name) for name in names]
    return [own for part in parts if ADAPTER in part for own in part[ADAPTER].parameters()]


@torch.no_grad()
def _merged(module: Any, weight: torch.Tensor) -> torch.Tensor:
    """The weight in fp32 with the adapter of one of peft's modules."""
    if hasattr(module, "trainable_tokens_delta"):
        return with_rows(weight.float(), rows_of(module))
    delta: torch.Tensor = module.get_delta_weight(ADAPTER)
    total = weight.float() + delta.float()
    if not module.use_dora.get(ADAPTER, False):
        return total
    axis, shape = (0, (1, -1)) if module.fan_in_fan_out else (1, (-1, 1))
    magnitude: torch.Tensor = module.lora_magnitude_vector[ADAPTER].weight.float()
    factor: torch.Tensor = magnitude / total.norm(dim=axis)
    return total * factor.view(shape)
