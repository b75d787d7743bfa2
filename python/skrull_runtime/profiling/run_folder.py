"""A compiled run's folder, as calibration reads it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from ..config import RunConfig, SchedulingConfig
from ..data.index import read_index
from ..errors import UserError


class RunFolder:
    """Constants, plan and samples of a run. Raises UserError where the folder is not one that skrull compiled."""

    def __init__(self, path: Path):
        self.path = path.resolve()
        self.plan = self._json("plan.json")
        if "demand" not in self.plan:
            raise UserError(f"{path}: was compiled by an earlier skrull; compile it again")
        self.config, self.scheduling = self._constants()
        _, columns = read_index(self.path / "data_index.json", self.config.data.max_length)
        self.lengths, self.supervised = columns["length"], columns["supervised"]

    def _json(self, name: str) -> dict[str, Any]:
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self.path}: is not a folder that skrull compiled: {name} cannot be read ({error})"
            ) from error

    def _constants(self) -> tuple[RunConfig, SchedulingConfig]:
        """What train.py and sampler.py state."""
        if not (self.path / "train.py").is_file():
            raise UserError(f"{self.path}: is not a folder that skrull compiled: no train.py")
        sys.path.insert(0, str(self.path))
        for name in ("train", "sampler"):
            sys.modules.pop(name, None)  # another run's
        try:
            train = importlib.import_module("train")
            return train.CONFIG, train.SCHEDULING
        finally:
            sys.path.remove(str(self.path))
