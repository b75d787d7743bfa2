"""Trained adapters that a run starts from: held against the run's own, before anything is trained."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from transformers.utils import cached_file

from ...contract.records import Adapters, AdapterSource
from ...errors import UserError
from ...process.agreement import by_rank_0
from ...shapes import JsonObject
from ..weights.files import PretrainedFiles
from ..weights.placing import is_root
from .ends import ADAPTER

CONFIG_FILE = "adapter_config.json"
WEIGHTS_FILE = "adapter_model.safetensors"
SHOWN = 3


def start_from(model: nn.Module, lora: Adapters, source: AdapterSource, base: str | None) -> None:
    """Gives a model's adapters the values of trained ones. Collective: rank 0 reads them.

    ``source``: whose name is that of a folder on this machine, or on the hub. ``base``: the name on the hub of the run's own
    base model, if it comes from there. Raises UserError on all ranks, with nothing changed, where the files cannot be read or
    are not those of these adapters.
    """
    files = by_rank_0(lambda: _read(model, lora, source, base))
    for key, parameter in stored_names(model).items():
        with torch.no_grad():
            if is_root():
                assert files is not None, "rank 0 has read them"
                parameter.copy_(files.read(key))
            if dist.is_initialized() and dist.get_world_size() > 1:
                dist.broadcast(parameter.view(torch.uint8), 0)


def stored_names(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trained parameters, by the names that peft stores them under; tied ones by each."""
    trained = model.named_parameters(remove_duplicate=False)
    return {_stored_name(name): own for name, own in trained if own.requires_grad}


def _stored_name(name: str) -> str:
    """Without peft's name for the adapter."""
    name = name.replace(f".modules_to_save.{ADAPTER}.", ".")
    magnitude = f"lora_magnitude_vector.{ADAPTER}.weight"
    return name.replace(magnitude, "lora_magnitude_vector").replace(f".{ADAPTER}", "")


def _read(
    model: nn.Module, lora: Adapters, source: AdapterSource, base: str | None
) -> PretrainedFiles:
    name = source["name"]
    config = _configuration(name, _file(source, CONFIG_FILE))
    problem = _other_base(config, base) or _other_settings(config, lora)
    if problem is not None:
        raise UserError(f"the adapters of {name!r} cannot be started from: {problem}")
    files = PretrainedFiles(name, [_file(source, WEIGHTS_FILE)])
    problem = _other_tensors(files, stored_names(model), config.get("modules_to_save") or [])
    if problem is not None:
        raise UserError(f"the adapters of {name!r} are not those of this run: {problem}")
    return files


def _file(source: AdapterSource, name: str) -> Path:
    """Raises UserError where there is none."""
    if source["kind"] == "folder":
        path = Path(source["name"]) / name
        if path.is_file():
            return path
        raise UserError(f"{source['name']}: holds no adapters of peft ({name} is not there)")
    try:
        found = cached_file(source["name"], name, revision=source.get("revision", "main"))
        assert found is not None, "it raises where there is none"
        return Path(found)
    except OSError as error:
        raise UserError(f"the adapters of {source['name']!r} cannot be loaded: {error}") from error


def _configuration(name: str, file: Path) -> JsonObject:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{name}: its {CONFIG_FILE} cannot be read ({error})") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise UserError(f"{name}: its {CONFIG_FILE} is not that of LoRA adapters")
    return config


def _other_base(config: JsonObject, base: str | None) -> str | None:
    """What is wrong with the base, where both come from the hub; shapes tell the rest."""
    stated = config.get("base_model_name_or_path")
    if base is None or not isinstance(stated, str) or stated.count("/") != 1:
        return None
    same = stated.casefold() == base.casefold()
    return (
        None
        if same or Path(stated).exists()
        else f"they are of {stated!r}, this run is of {base!r}"
    )


def _other_settings(config: JsonObject, lora: Adapters) -> str | None:
    """The first setting that differs, of those that tensors do not show."""
    rank, own = config.get("r"), lora["rank"]
    if rank != own:
        return f"their rank is {rank!r}, this run's {own}"
    if bool(config.get("use_dora")) != lora.get("dora", False):
        return "one of both is DoRA" if config.get("use_dora") else "this run is DoRA, they are not"
    if config.get("rank_pattern") or config.get("alpha_pattern"):
        return "their matrices have ranks or scales of their own"
    scale = _scale(config.get("lora_alpha"), own, bool(config.get("use_rslora")))
    wanted = _scale(lora["alpha"], own, lora.get("rslora", False))
    if scale is None or not math.isclose(scale, wanted or 0.0):
        return f"they are scaled by {scale!r}, this run's by {wanted!r} (alpha, rslora)"
    return None


def _scale(alpha: Any, rank: int, stabilised: bool) -> float | None:
    number = isinstance(alpha, (int, float)) and not isinstance(alpha, bool)
    return alpha / (math.sqrt(rank) if stabilised else rank) if number else None


def _other_tensors(
    files: PretrainedFiles, own: dict[str, nn.Parameter], saved: list[str]
) -> str | None:
    """The first difference in names or shapes. ``saved``: modules that were trained whole."""
    missing = sorted(own.keys() - files.tensors.keys())
    extra = sorted(files.tensors.keys() - own.keys())
    more = [key for key in extra if _is_trained(key, saved)]
    if missing:
        return (
            f"{_listed(missing)} of the run's are not among them (other targets, or another model?)"
        )
    if more:
        return f"the run has no {_listed(more)} (other targets, or another model?)"
    for key, parameter in own.items():
        found, wanted = files.tensors[key].shape, tuple(parameter.shape)
        if found != wanted:
            return f"{key} is {list(found)}, not {list(wanted)}: they are of another model"
    return None


def _is_trained(key: str, saved: list[str]) -> bool:
    """Ends of a larger vocabulary are stored besides, trained or not."""
    parts = key.split(".")
    if "base_layer" in parts or "modules_to_save" in parts:
        return False
    return "lora" in key or "trainable_tokens" in key or any(name in parts for name in saved)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(name[:120] for name in names[:SHOWN]) + more
