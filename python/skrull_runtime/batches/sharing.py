"""Schedules that one rank of a node makes and the others read: all would make the same."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..guarding.cause import ENDINGS
from ..scheduling import Schedule

WAIT = 1.0  # seconds to wait for a schedule before a rank makes its own, which is the same
LOOK = 0.002  # seconds between two looks
KEPT = 64  # newest schedules: no rank's worker is that far behind


class SharedSchedules:
    """Schedules in a folder that is private to one start of the run on this node. ``folder`` is None where there is no
    such folder, or no other rank."""

    def __init__(self, folder: Path | None, makes: bool):
        self._folder, self._makes = folder, makes
        self._written: deque[Path] = deque()

    @classmethod
    def of_node(cls) -> SharedSchedules:
        """Those of this rank's node: its first rank makes them. Under a launcher that is not ours, every rank does."""
        found = os.environ.get(ENDINGS)
        ranks = os.environ.get("LOCAL_WORLD_SIZE") or os.environ.get("LOCAL_SIZE") or "1"
        folder = Path(found) if found and int(ranks) > 1 else None
        return cls(folder, os.environ.get("LOCAL_RANK") == "0")

    def get(self, name: str, make: Callable[[], Schedule]) -> Schedule:
        """The schedule of that name, which no other schedule of the run has."""
        if self._folder is None:
            return make()
        path = self._folder / f"schedule-{name}.json"
        if self._makes:
            made = make()
            self._write(path, made)
            return made
        found = _awaited(path)
        return make() if found is None else found

    def _write(self, path: Path, schedule: Schedule) -> None:
        temporary = path.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(schedule))
            os.replace(temporary, path)
            self._written.append(path)
            if len(self._written) > KEPT:
                self._written.popleft().unlink(missing_ok=True)
        except OSError:
            return  # such as a full disk: the others make their own


def _awaited(path: Path) -> Schedule | None:
    """The schedule as soon as it is there; None where it does not come in time."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        try:
            found: Schedule = json.loads(path.read_bytes())
            return found
        except FileNotFoundError:
            time.sleep(LOOK)
        except (OSError, ValueError):
            return None
    return None
