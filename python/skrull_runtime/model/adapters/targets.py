"""The targets of a run's adapters: kinds and names, as the matrices of the model at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import nn

from ...errors import UserError
from .matrices import Kind, Matrix, matrices_of

KINDS: dict[str, tuple[Kind, ...]] = {
    "attention": ("attention",),
    "mlp": ("mlp",),
    "all-linear": ("attention", "mlp"),
    "experts": ("experts",),
}


class Targets(NamedTuple):
    """As peft takes them, and what they are."""

    modules: list[str]
    parameters: list[str]
    matrices: list[Matrix]


def find_targets(model: nn.Module, wanted: Sequence[str]) -> Targets:
    """The matrices of the model's layers that the targets mean. Raises UserError where one means none."""
    known = matrices_of(model)
    chosen: dict[str, Matrix] = {}
    for target in wanted:
        meant = [own for own in known if _is_meant(own, target)]
        if not meant:
            names = ", ".join(dict.fromkeys(own.own_name for own in known))
            raise UserError(
                f"lora: the model's layers have no matrix {target!r} that can have an adapter; they have {names}"
            )
        chosen |= {own.name: own for own in meant}
    matrices = [own for own in known if own.name in chosen]
    modules = [own.name for own in matrices if own.stacked is None]
    parameters = [own.name for own in matrices if own.stacked is not None]
    named = [name for name, _ in model.named_modules()]
    stored = [name for name, _ in model.named_parameters()]
    return Targets(shortened(modules, named, 1), shortened(parameters, stored, 2), matrices)


def _is_meant(own: Matrix, target: str) -> bool:
    """A kind, or the name of linear modules outside experts."""
    if target in KINDS:
        return own.kind in KINDS[target]
    return own.kind != "experts" and own.own_name == target


def shortened(chosen: Sequence[str], everything: Iterable[str], parts: int) -> list[str]:
    """The last parts of names, where nothing else is named so; else whole names. In the order given, each once."""
    ends: dict[str, set[str]] = {}
    for name in everything:
        ends.setdefault(_end(name, parts), set()).add(name)
    whole = set(chosen)
    return list(
        dict.fromkeys(
            _end(name, parts) if ends[_end(name, parts)] <= whole else name for name in chosen
        )
    )


def _end(name: str, parts: int) -> str:
    return ".".join(name.split(".")[-parts:])
