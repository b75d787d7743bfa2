"""Schedules that were planned when the run was compiled (``schedules.bin``), replayed step by step."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from .config import SchedulingConfig
from .errors import UserError

FILE = "schedules.bin"
MAGIC = b"skrull schedules 1\n"


class ScheduleMismatch(UserError):
    """Why planned schedules are not those of this run."""


class PlannedSchedules:
    """Every step's schedule, a few bytes per sequence.

    Raises ScheduleMismatch where they were made for other data, another topology or other settings, or are damaged.
    """

    def __init__(self, path: Path, lengths: list[int], scheduling: SchedulingConfig):
        if not path.is_file():
            raise ScheduleMismatch(f"{path.name} is missing")
        content = path.read_bytes()
        end = content.find(b"\n", len(MAGIC))
        if not content.startswith(MAGIC) or end < 0:
            raise ScheduleMismatch(f"{path.name} is not a file of planned schedules")
        body = content[end + 1 :]
        try:
            header = json.loads(content[len(MAGIC) : end])
            made_for, steps = header["scheduling"], int(header["steps"])
            body_sha256, lengths_sha256 = header["body_sha256"], header["lengths_sha256"]
        except (ValueError, KeyError, TypeError) as error:
            raise ScheduleMismatch(f"{path.name} has a damaged header") from error
        if hashlib.sha256(body).hexdigest() != body_sha256:
            raise ScheduleMismatch(f"{path.name} is damaged")
        for name, now in scheduling.identity().items():
            if made_for.get(name) != now:
                raise ScheduleMismatch(
                    f"{name.replace('_', ' ')} was {made_for.get(name)}, now it is {now}"
                )
        text = ",".join(map(str, lengths)).encode()
        if hashlib.sha256(text).hexdigest() != lengths_sha256:
            raise ScheduleMismatch("the lengths of the samples are not those it was made for")
        self._body = body
        self._groups = _groups(scheduling.data_parallel * scheduling.context_parallel)
        self._starts = self._find_steps(steps)

    def __len__(self) -> int:
        return len(self._starts)

    def schedule(self, step: int) -> dict[str, Any]:
        """Micro-batches and predicted time (us) of a step, in the shape of the contract's document."""
        start = self._starts[step]
        (time,) = struct.unpack_from("<d", self._body, start)
        size, at = self._number(start + 8)
        end = at + size
        micro_batches: list[list[dict[str, int]]] = []
        sequence = 0
        while at < end:
            index, at = self._number(at)
            group, at = self._number(at)
            degree, first_rank = self._groups[group]
            while len(micro_batches) <= index:
                micro_batches.append([])
            micro_batches[index].append(
                {"sequence": sequence, "first_rank": first_rank, "degree": degree}
            )
            sequence += 1
        return {
            "micro_batches": [
                {"index": index, "placements": placements}
                for index, placements in enumerate(micro_batches)
            ],
            "iteration_time": time,
        }

    def _find_steps(self, steps: int) -> list[int]:
        starts = []
        at = 0
        for _ in range(steps):
            starts.append(at)
            size, at = self._number(at + 8)
            at += size
        return starts

    def _number(self, at: int) -> tuple[int, int]:
        """A LEB128 number, and where it ends."""
        value, shift = 0, 0
        while True:
            byte = self._body[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7


def _groups(ranks: int) -> list[tuple[int, int]]:
    """Degree and first rank of every group: by degree, then by first rank."""
    return [
        (degree, first)
        for degree in range(1, ranks + 1)
        if ranks % degree == 0
        for first in range(0, ranks, degree)
    ]
