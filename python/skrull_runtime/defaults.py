"""Settings whose default has changed in what it trains: a checkpoint says which it was trained with.

The compiler tells of them when planning (``src/plan/changed-defaults.ts``). A run folder that was compiled before lacks
the setting, and trains as it did: the value before is what a missing one stands for, here and in a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .config import RunConfig
from .errors import UserError
from .training.optimizer import decayed_of

EITHER = "either"  # value of a checkpoint's state: all values train alike


@dataclass(frozen=True)
class ChangedDefault:
    """One of them."""

    key: str  # of the spec
    place: str  # in a spec, with the value in place of {}
    before: str  # what was trained where nothing says otherwise
    value: Callable[[RunConfig], str]  # what a run trains with; EITHER where there is no difference


def _decays_alike(run: RunConfig) -> bool:
    """Adapters are matrices."""
    return not run.train.optimizer["weight_decay"] or run.model.lora is not None


CHANGED_DEFAULTS = (
    ChangedDefault(
        key="decayed",
        place="train {{ optimizer = TYPE {{ decayed = {} }} }}",
        before="all",
        value=lambda run: EITHER if _decays_alike(run) else decayed_of(run.train.optimizer),
    ),
    ChangedDefault(
        key="gradients",
        place="train {{ gradients = {} }}",
        before="bf16",
        value=lambda run: "fp32" if run.train.gradients == "fp32" else "bf16",
    ),
)


def chosen(run: RunConfig) -> dict[str, str]:
    """The value of every such setting, for a checkpoint's state."""
    return {default.key: default.value(run) for default in CHANGED_DEFAULTS}


def require_same(run: RunConfig, state: dict[str, Any]) -> None:
    """Raises UserError where a checkpoint of that state was trained with another value than this run would."""
    known = state.get("defaults", {})
    for default in CHANGED_DEFAULTS:
        was, now = known.get(default.key, default.before), default.value(run)
        if was != now and EITHER not in (was, now):
            raise UserError(
                f"cannot resume: the checkpoint was trained with {default.key} = {was}, this run has"
                f" {default.key} = {now}. Write {default.place.format(was)} and compile again, or start anew with"
                " --no-resume"
            )
