"""Versions of packages that runs were tried with, and what older ones lack: ``contract/versions.json``, by which the compiler
writes ``requirements.txt``."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata

import torch

from .contract import document
from .errors import UserError
from .kernels import varlen

Version = tuple[int, ...]

# Whether the packages here have a feature.
PROBES: dict[str, Callable[[], bool]] = {
    "gradient-dtype": lambda: hasattr(torch.Tensor, "grad_dtype"),
    "varlen": lambda: not isinstance(varlen.make(torch.device("cpu")), str),
}


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
    if PROBES[feature]():
        return None
    entry = next(each for each in document("versions.json")["features"] if each["id"] == feature)
    package = entry["package"]
    return (
        f"{entry['feature'].replace('`', '')} needs {package} {entry['since']} (this is {installed(package)}):"
        f" {entry['without']}"
    )


def installed(package: str) -> str:
    """The version of a package that is installed."""
    return metadata.version(package)


def numbers(version: str) -> Version:
    """What versions are compared by; what follows their numbers does not count."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
