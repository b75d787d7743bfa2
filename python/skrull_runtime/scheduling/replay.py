"""Schedules that were planned when the run was compiled (``schedules.bin``), replayed step by step."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Sequence
from pathlib import Path

from ..config import SchedulingConfig, identity_of, problem_of
from ..contract.records import SchedulesHeader
from ..documents import ANEW, parsed
from ..errors import UserError
from .answer import PlacementEntry, Schedule
from .cost import bucket_units, shard_units
from .problem import parse_problem

FILE = "schedules.bin"
MAGIC = b"skrull schedules 1\n"
HEADER_SCHEMA = "schedules-header.schema.json"
MOST_BYTES = 8  # of a LEB128 number: 56 bits


class ScheduleMismatch(UserError):
    """Why planned schedules are not those of this run."""


class PlannedSchedules:
    """The schedule of every step, in a few bytes per sequence.

    Raises ScheduleMismatch where they were made for other data, another topology or other settings, or are damaged.
    """

    def __init__(self, path: Path, lengths: Sequence[int], scheduling: SchedulingConfig):
        if not path.is_file():
            raise ScheduleMismatch(f"{path.name} is missing")
        content = path.read_bytes()
        end = content.find(b"\n", len(MAGIC))
        if not content.startswith(MAGIC) or end < 0:
            raise ScheduleMismatch(f"{path.name} is not a file of planned schedules")
        body = content[end + 1 :]
        header: SchedulesHeader
        header, problem = parsed(content[len(MAGIC) : end], HEADER_SCHEMA)
        if problem is not None:
            raise ScheduleMismatch(f"{path.name} has a damaged header: {problem}")
        if hashlib.sha256(body).hexdigest() != header["body_sha256"]:
            raise ScheduleMismatch(f"{path.name} is damaged")
        made_for = header["scheduling"]
        for name, now in identity_of(scheduling).items():
            if made_for.get(name) != now:
                was = str(made_for.get(name))[:200]
                raise ScheduleMismatch(f"{name.replace('_', ' ')} was {was}, now it is {now}")
        text = ",".join(map(str, lengths)).encode()
        if hashlib.sha256(text).hexdigest() != header["lengths_sha256"]:
            raise ScheduleMismatch("the lengths of the samples are not those it was made for")
        self._name, self._body, self._scheduling = path.name, body, scheduling
        self._groups = _groups(scheduling.data_parallel * scheduling.context_parallel)
        self._starts = self._find_steps(header["steps"])

    def __len__(self) -> int:
        return len(self._starts)

    def schedule(self, step: int, lengths: list[int]) -> Schedule:
        """Micro-batches and predicted time (us) of a step, in the shape of the contract's document.

        ``lengths``: tokens of the step's sequences. Raises UserError where the file holds no schedule for them.
        """
        try:
            time, micro_batches = self._read(step, len(lengths))
            _check_memory(micro_batches, lengths, self._scheduling)
        except ScheduleMismatch as error:
            raise UserError(f"{self._name}: step {step}: {error}; {ANEW}") from error
        return {
            "micro_batches": [
                {"index": index, "placements": placements}
                for index, placements in enumerate(micro_batches)
            ],
            "iteration_time": time,
        }

    def _read(self, step: int, count: int) -> tuple[float, list[list[PlacementEntry]]]:
        """Predicted time (us) and placements, by micro-batch, of a step with that many sequences."""
        start = self._starts[step]
        (time,) = struct.unpack_from("<d", self._body, start)
        if not (math.isfinite(time) and time >= 0):
            raise ScheduleMismatch(f"its predicted time is {time}")
        size, at = self._number(start + 8)
        end = at + size
        micro_batches: list[list[PlacementEntry]] = []
        for sequence in range(count):
            index, at = self._number(at)
            group, at = self._number(at)
            # Checked before lists are made: a schedule without empty micro-batches has at most one per sequence.
            if index >= count or group >= len(self._groups) or at > end:
                raise ScheduleMismatch(f"sequence {sequence} of {count} has no place in it")
            degree, first_rank = self._groups[group]
            while len(micro_batches) <= index:
                micro_batches.append([])
            micro_batches[index].append(
                {"sequence": sequence, "first_rank": first_rank, "degree": degree}
            )
        if at != end:
            raise ScheduleMismatch(f"it is of more than the {count} sequences of the step")
        return time, micro_batches

    def _find_steps(self, steps: int) -> list[int]:
        starts = []
        at = 0
        for _ in range(steps):
            starts.append(at)
            size, at = self._number(at + 8)
            at += size
        if at != len(self._body):
            raise ScheduleMismatch(f"{self._name} does not hold the {steps} steps that it states")
        return starts

    def _number(self, at: int) -> tuple[int, int]:
        """A LEB128 number, and where it ends."""
        value = 0
        for shift in range(0, 7 * MOST_BYTES, 7):
            if at >= len(self._body):
                raise ScheduleMismatch(f"{self._name} ends within a step")
            byte = self._body[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
        raise ScheduleMismatch(f"{self._name} has a number of more than {MOST_BYTES} bytes")


def _check_memory(
    micro_batches: list[list[PlacementEntry]], lengths: list[int], scheduling: SchedulingConfig
) -> None:
    """Raises ScheduleMismatch where a group is not of the class, or a rank's bucket would not hold its shards."""
    problem = parse_problem(problem_of(scheduling, lengths))
    degrees, room = problem.class_degrees(), bucket_units(problem)
    for index, placements in enumerate(micro_batches):
        held = [0.0] * problem.ranks
        for placement in placements:
            first, degree = placement["first_rank"], placement["degree"]
            if degree not in degrees or not problem.available(degree):
                raise ScheduleMismatch(f"it has a group of {degree} ranks")
            for rank in range(first, first + degree):
                held[rank] += shard_units(lengths[placement["sequence"]], degree, problem)
        if max(held) > room:
            raise ScheduleMismatch(f"micro-batch {index} is over the bucket")


def _groups(ranks: int) -> list[tuple[int, int]]:
    """Degree and first rank of every group: by degree, then by first rank."""
    return [
        (degree, first)
        for degree in range(1, ranks + 1)
        if ranks % degree == 0
        for first in range(0, ranks, degree)
    ]
