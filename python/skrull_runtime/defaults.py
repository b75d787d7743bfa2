"""Settings whose default has changed in a way that affects training: a checkpoint says which value it was trained with.

The compiler reports them when planning (``src/plan/changed-defaults.ts``). A run folder that was compiled before the
change lacks the setting and trains as it did: a missing setting, here or in a checkpoint, stands for the old default.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .config import RunConfig
from .contract.records import CheckpointState
from .errors import UserError
from .training.optimizer import decayed_of

EITHER = "either"  # in a checkpoint's state: all values train alike


@dataclass(frozen=True)
class ChangedDefault:
    """A setting whose default has changed."""

    key: str  # of the spec
    place: str  # in a spec, with the value in place of {}
    before: str  # the old default
    value: Callable[[RunConfig], str]  # what a run trains with; EITHER where it makes no difference


def _decays_alike(run: RunConfig) -> bool:
    """Without weight decay, or with adapters, which are all matrices."""
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


def require_same(run: RunConfig, state: CheckpointState) -> None:
    """Raises UserError where the checkpoint of that state was trained with another value than this run would use."""
    known = state.get("defaults", {})
    for default in CHANGED_DEFAULTS:
        was, now = known.get(default.key, default.before), default.value(run)
        if was != now and EITHER not in (was, now):
            raise UserError(
                f"cannot resume: the checkpoint was trained with {default.key} = {was}, this run has"
                f" {default.key} = {now}. Write {default.place.format(was)} and compile again, or start anew with"
                " --no-resume"
            )
