"""Versions of packages that runs were tried with, and what older ones lack: ``contract/versions.json``, from which the
compiler also writes ``requirements.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata
from typing import TypedDict

import torch

from .config import ModelConfig, TrainConfig
from .contract import document
from .errors import UserError
from .model.kernels import varlen
from .shapes import DeepSpeedConfig

Version = tuple[int, ...]


class Span(TypedDict):
    """Versions of a package that a run takes."""

    oldest: str
    newest: str  # that was tried
    below: str  # that is not taken


class Feature(TypedDict):
    """What versions of a package before ``since`` lack."""

    id: str
    package: str
    since: str
    feature: str
    without: str


class Versions(TypedDict):
    """``contract/versions.json``."""

    packages: dict[str, Span]
    features: list[Feature]


# Whether the installed packages have a feature; for features not listed here, the version decides.
PROBES: dict[str, Callable[[], bool]] = {
    "gradient-dtype": lambda: hasattr(torch.Tensor, "grad_dtype"),
    "varlen": lambda: not isinstance(varlen.make(torch.device("cpu")), str),
}


def has(feature: str) -> bool:
    """Whether the installed packages have a feature."""
    if feature in PROBES:
        return PROBES[feature]()
    entry = _entry(feature)
    return numbers(installed(entry["package"])) >= numbers(entry["since"])


def check_packages() -> list[str]:
    """Remarks on packages that are newer than any that was tried. Raises UserError where one is too old."""
    remarks = []
    for name, known in _versions()["packages"].items():
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
    """What happens without a feature, and which version has it; None where the installed packages have it."""
    if has(feature):
        return None
    entry = _entry(feature)
    package = entry["package"]
    return (
        f"{entry['feature'].replace('`', '')}: only from {package} {entry['since']} on (this is {installed(package)});"
        f" {entry['without']}"
    )


def refuse_what_is_missing(
    model: ModelConfig, train: TrainConfig, ds_config: DeepSpeedConfig
) -> None:
    """Raises UserError where a run would train wrongly, or not at all, with the installed packages."""
    zero = ds_config.get("zero_optimization", {})
    stage = zero.get("stage", 0)
    offloads = "offload_optimizer" in zero
    recomputes = model.checkpointing != "none"
    needed = {
        "offloaded-gradients": train.gradients == "fp32" and offloads and stage in (1, 2),
        "muon": train.optimizer["type"] == "muon",
        "adapters-recomputed": model.lora is not None and stage == 3 and recomputes,
    }
    problems = [missing(feature) for feature, is_needed in needed.items() if is_needed]
    if found := [problem for problem in problems if problem is not None]:
        raise UserError("; ".join(found))


def _versions() -> Versions:
    known: Versions = document("versions.json")
    return known


def _entry(feature: str) -> Feature:
    return next(each for each in _versions()["features"] if each["id"] == feature)


def installed(package: str) -> str:
    """The installed version of a package."""
    return metadata.version(package)


def numbers(version: str) -> Version:
    """The numbers by which versions are compared; what follows them does not count."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
