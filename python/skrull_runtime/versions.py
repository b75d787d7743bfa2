"""Versions of packages that runs were tried with, and what older ones lack: ``contract/versions.json``, by which the compiler
writes ``requirements.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from typing import Any

import torch

from .config import ModelConfig, TrainConfig
from .contract import document
from .errors import UserError
from .model.kernels import varlen

Version = tuple[int, ...]

# Whether the packages here have a feature; of others their version says it.
PROBES: dict[str, Callable[[], bool]] = {
    "gradient-dtype": lambda: hasattr(torch.Tensor, "grad_dtype"),
    "varlen": lambda: not isinstance(varlen.make(torch.device("cpu")), str),
}


def has(feature: str) -> bool:
    """Whether the packages here have it."""
    if feature in PROBES:
        return PROBES[feature]()
    entry = _entry(feature)
    return numbers(installed(entry["package"])) >= numbers(entry["since"])


def check_packages() -> list[str]:
    """Remarks on packages that are newer than any that was tried. Raises UserError where one is too old."""
    remarks = []
    for name, known in document("versions.json")["packages"].items():
        found = installed(name)
        span = f"{known['oldest']} to {known['newest']}"
        if numbers(found) < numbers(known["oldest"]):
            raise UserError(
                f"{name} {found} is too old: this run takes {span}; pip install -r requirements.txt"
            )
        if numbers(found) >= numbers(known["below"]):
            remarks.append(f"{name} {found} is newer than any that was tried ({span})")
    return remarks


def missing(feature: str) -> str | None:
    """What happens without a feature, where the packages here lack it, with the version that has it."""
    if has(feature):
        return None
    entry = _entry(feature)
    package = entry["package"]
    return (
        f"{entry['feature'].replace('`', '')}: only from {package} {entry['since']} on (this is {installed(package)});"
        f" {entry['without']}"
    )


def refuse_what_is_missing(
    model: ModelConfig, train: TrainConfig, ds_config: dict[str, Any]
) -> None:
    """Raises UserError where a run would train wrongly, or not at all, with the packages here."""
    zero = ds_config.get("zero_optimization", {})
    stage = zero.get("stage", 0)
    offloads = "offload_optimizer" in zero
    recomputes = model.checkpointing != "none"
    needed = {
        "offloaded-gradients": train.gradients == "fp32" and offloads and stage in (1, 2),
        "adapters-recomputed": model.lora is not None and stage == 3 and recomputes,
    }
    problems = [missing(feature) for feature, is_needed in needed.items() if is_needed]
    if found := [problem for problem in problems if problem is not None]:
        raise UserError("; ".join(found))


def _entry(feature: str) -> dict[str, Any]:
    return next(each for each in document("versions.json")["features"] if each["id"] == feature)


def installed(package: str) -> str:
    """The version of a package that is installed."""
    return metadata.version(package)


def numbers(version: str) -> Version:
    """What versions are compared by; what follows their numbers does not count."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
