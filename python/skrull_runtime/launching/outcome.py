"""How a run has ended, as its launchers report it: the exit code and the last line, of a node or of the whole run."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from ..contract.exit_codes import DONE, INTERRUPTED, STOPPED, USER
from ..guarding.cause import Cause
from ..shapes import JsonObject


@dataclass(frozen=True)
class Outcome:
    """An exit code of :mod:`..contract.exit_codes`, and the sentence that explains it."""

    code: int
    line: str  # shown as it is; empty where the run is done
    primary: bool = True  # False for a symptom of something that another node may know better
    time: float = field(default_factory=time.time)  # seconds since 1970

    @staticmethod
    def of(cause: Cause) -> Outcome:
        """The outcome of a node whose rank has written this cause."""
        return Outcome(cause.code, cause.line(), cause.primary, cause.time)

    @staticmethod
    def from_json(value: Any) -> Outcome | None:
        """From :meth:`to_json`; None where it is not one."""
        types: dict[str, type | tuple[type, ...]] = {
            "code": int,
            "line": str,
            "primary": bool,
            "time": (int, float),
        }
        if not isinstance(value, dict) or set(value) != set(types):
            return None
        if not all(isinstance(value[name], kind) for name, kind in types.items()):
            return None
        return Outcome(**value)

    def to_json(self) -> JsonObject:
        """As a JSON object."""
        return asdict(self)


FINISHED = Outcome(DONE, "", time=0.0)


def lost(reason: str) -> Outcome:
    """This node has lost another one, or the machine that started it."""
    return Outcome(USER, f"error: {socket.gethostname()}: {reason}", primary=False)


def interrupted() -> Outcome:
    """The run was ended by Ctrl-C."""
    return Outcome(INTERRUPTED, "error: interrupted")


def stopped() -> Outcome:
    """The run was ended by SIGTERM, after a step."""
    return Outcome(STOPPED, "stopped by SIGTERM, with a checkpoint")


def stopped_early() -> Outcome:
    """The run was ended by SIGTERM, before there was a step to keep."""
    return Outcome(
        STOPPED,
        "stopped by SIGTERM before a new checkpoint; started again, it goes on from the last one",
        primary=False,
    )


def first_of(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome to report: causes before symptoms, then the earliest; FINISHED where all nodes are done."""
    ended = (outcome for outcome in outcomes if outcome.code != DONE)
    return min(ended, key=lambda outcome: (not outcome.primary, outcome.time), default=FINISHED)
