"""Settings whose default has changed in what it trains: a checkpoint says which it was trained with.

The compiler tells of them when planning (``src/plan/changed-defaults.ts``). A run folder that was compiled before lacks
the setting, and trains as it did: the value before is what a missing one stands for, here and in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .config import TrainConfig
from .errors import UserError
from .optimizer import decayed_of


@dataclass(frozen=True)
class ChangedDefault:
    """One of them."""

    key: str  # of the spec
    place: str  # in a spec, with the value in place of {}
    before: str  # what was trained where nothing says otherwise
    value: Callable[[TrainConfig], str]  # what a run trains with


CHANGED_DEFAULTS = (
    ChangedDefault(
        key="decayed",
        place="train {{ optimizer = TYPE {{ decayed = {} }} }}",
        before="all",
        value=lambda train: decayed_of(train.optimizer),
    ),
    ChangedDefault(
        key="gradients",
        place="train {{ gradients = {} }}",
        before="bf16",
        value=lambda train: "fp32" if train.gradients == "fp32" else "bf16",
    ),
)


def chosen(train: TrainConfig) -> dict[str, str]:
    """The value of every such setting, for a checkpoint's state."""
    return {default.key: default.value(train) for default in CHANGED_DEFAULTS}


def require_same(train: TrainConfig, state: dict[str, Any]) -> None:
    """Raises UserError where a checkpoint of that state was trained with another value than this run would."""
    known = state.get("defaults", {})
    for default in CHANGED_DEFAULTS:
        was, now = known.get(default.key, default.before), default.value(train)
        if was != now:
            raise UserError(
                f"cannot resume: the checkpoint was trained with {default.key} = {was}, this run has"
                f" {default.key} = {now}. Write {default.place.format(was)} and compile again, or start anew with"
                " --no-resume"
            )
