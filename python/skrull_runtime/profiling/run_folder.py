"""The folder of a compiled run, as calibration reads it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any, TypedDict

from typing_extensions import NotRequired

from ..config import RunConfig, SchedulingConfig
from ..data.index import read_index
from ..errors import UserError
from ..shapes import JsonObject
from .profile_file import Profile


class DemandedFlops(TypedDict):
    """FLOPs of the model, forward and backward."""

    body_per_token: float
    head_per_target: float
    attention_per_token: float
    attention_per_token_squared: float


class DemandedCollectives(TypedDict):
    """Communication of a sharded sequence in a micro-batch."""

    bytes_per_token: float
    gathers: float
    all_to_alls: float


class DemandedBytes(TypedDict):
    """Of all but matrix products and attention: bytes that would take as long at the speed of memory."""

    per_token: float
    per_target: float


class Demand(TypedDict):
    """What the model asks of any machine."""

    flops: DemandedFlops
    bytes: NotRequired[DemandedBytes]  # runs compiled before do not say
    target_share: float  # of tokens
    collectives: DemandedCollectives


class PlannedFigures(Profile):
    """The figures that a plan was made with: whatever a profile may hold."""


class PlannedHardware(TypedDict):
    """Figures of the machine, and where they are from."""

    profile: str | None
    figures: PlannedFigures
    measured: list[str]  # keys of the figures that come from a profile


class Plan(TypedDict):
    """The parts of ``plan.json`` that calibration reads (``src/plan/plan.ts``)."""

    demand: Demand
    hardware: PlannedHardware
    model: JsonObject
    topology: JsonObject
    step: JsonObject
    training: JsonObject
    memory: JsonObject


class RunFolder:
    """The constants, plan and samples of a run. Raises UserError where the folder is not one that skrull compiled."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self.plan: Plan = self._json("plan.json")
        if "demand" not in self.plan:
            raise UserError(f"{path}: was compiled by an earlier skrull; compile it again")
        self.config, self.scheduling = self._constants()
        _, columns = read_index(self.path / "data_index.json", self.config.data.max_length)
        self.lengths, self.supervised = columns["length"], columns["supervised"]

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.path}: is not a folder that skrull compiled: {name} cannot be read ({error})"
            ) from error

    def _constants(self) -> tuple[RunConfig, SchedulingConfig]:
        """The constants that train.py and sampler.py state."""
        if not (self.path / "train.py").is_file():
            raise UserError(f"{self.path}: is not a folder that skrull compiled: no train.py")
        sys.path.insert(0, str(self.path))
        for name in ("train", "sampler"):
            sys.modules.pop(name, None)  # of another run
        try:
            train = importlib.import_module("train")
            return train.CONFIG, train.SCHEDULING
        finally:
            sys.path.remove(str(self.path))
