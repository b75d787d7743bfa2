"""Why a run ended, written down by its ranks for the process that started them.

A rank writes its cause into the folder that ``SKRULL_ENDINGS`` names, one file per rank. Under a launcher that is not
ours there is no such folder, and the cause is only printed. Nothing here imports torch.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from ..contract.exit_codes import FAULT, INTERRUPTED, STOPPED, USER
from ..shapes import JsonObject

ENDINGS = "SKRULL_ENDINGS"  # a folder on this node, private to one start of the run
# Of the process that started this node's ranks, which end with it.
LAUNCHER_PID = "SKRULL_LAUNCHER_PID"
Kind = Literal["user", "fault", "stopped", "interrupted", "lost"]
CODES: dict[Kind, int] = {
    "user": USER,
    "fault": FAULT,
    "stopped": STOPPED,
    "interrupted": INTERRUPTED,
    "lost": USER,
}


@dataclass(frozen=True)
class Cause:
    """Why a rank ended. Where a rank ended without reporting it, another one does."""

    rank: int
    host: str
    pid: int
    time: float  # seconds since 1970
    code: int  # exit code that it gives the run
    kind: Kind
    reason: str  # a sentence; the traceback of a fault is in the output of its rank
    primary: bool  # False for a symptom of another rank's end, such as a closed connection

    @staticmethod
    def of(rank: int, kind: Kind, reason: str, primary: bool = True) -> Cause:
        """A cause in this process, now."""
        code = CODES[kind]
        return Cause(
            rank, socket.gethostname(), os.getpid(), time.time(), code, kind, reason, primary
        )

    @staticmethod
    def from_json(value: Any) -> Cause:
        """From :meth:`to_json`. Raises ValueError where it is not one."""
        types: dict[str, type | tuple[type, ...]] = {
            "rank": int,
            "host": str,
            "pid": int,
            "time": (int, float),
            "code": int,
            "kind": str,
            "reason": str,
            "primary": bool,
        }
        if not isinstance(value, dict) or set(value) != {field.name for field in fields(Cause)}:
            raise ValueError("not a cause: it has other fields")
        wrong = [name for name, kind in types.items() if not isinstance(value[name], kind)]
        if wrong or value["kind"] not in get_args(Kind):
            raise ValueError(f"not a cause: {', '.join(wrong) or 'kind'} is something else")
        return Cause(**value)

    def to_json(self) -> JsonObject:
        """As a JSON object."""
        return asdict(self)

    def line(self) -> str:
        """What a user reads last. A run that was stopped has no error."""
        prefix = "" if self.kind == "stopped" else f"error: rank {self.rank} on {self.host}: "
        return f"{prefix}{self.reason}"

    def write(self, folder: Path, by: int | None = None) -> None:
        """Writes it whole to ``rank-<by>.json``; ``by`` is the rank that reports it, by default its own.

        Raises OSError where it cannot be written.
        """
        path = folder / f"rank-{self.rank if by is None else by}.json"
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(self.to_json()))
        os.replace(temporary, path)


def read_all(folder: Path) -> list[Cause]:
    """The causes that ranks have written, by rank. Invalid files are skipped: their writer may have been killed."""
    causes = []
    for path in folder.glob("rank-*.json"):
        try:
            causes.append(Cause.from_json(json.loads(path.read_bytes())))
        except (OSError, ValueError):
            continue
    return sorted(causes, key=lambda cause: (cause.rank, cause.time))


def first_of(causes: Iterable[Cause]) -> Cause | None:
    """The cause to report: causes before symptoms, then the earliest; None where there is none."""
    return min(causes, key=lambda cause: (not cause.primary, cause.time, cause.rank), default=None)


def forget(folder: Path, rank: int) -> None:
    """Removes what this rank wrote in an earlier attempt of the same start. Raises OSError where it cannot be removed."""
    (folder / f"rank-{rank}.json").unlink(missing_ok=True)
