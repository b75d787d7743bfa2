"""The scheduling problem, as the compiler's ``src/schedule/problem.ts`` has it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, get_args

from ..contract.vocabularies import DegreeClass, Objective, Padding, Policy
from ..errors import UserError

MOST_SEQUENCES = 2**20
MOST_RANKS = 2**16
MOST_ITERATIONS = 10**9
MOST_BUDGET_MS = 24 * 3600 * 1000  # a day
MOST_PAIRS = 2**30  # sequences times ranks
MOST_TOKEN_RANKS = 2**52  # keeps the memory of any schedule exact in both programs
LARGEST_INTEGER = 2**53 - 1
LARGEST_TIME = 1e100  # so that no sum or square overflows

POLICIES, DEGREES = get_args(Policy), get_args(DegreeClass)
PADDINGS, OBJECTIVES = get_args(Padding), get_args(Objective)


class ScheduleError(UserError):
    """Why there is no schedule: ``code`` as in the contract, and the place at fault."""

    def __init__(
        self, code: str, message: str, path: str | None = None, sequence: int | None = None
    ):
        super().__init__(message)
        self.code, self.message, self.path, self.sequence = code, message, path, sequence

    def document(self) -> dict[str, Any]:
        """The contract's error document."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.path is not None:
            error["path"] = self.path
        if self.sequence is not None:
            error["sequence"] = self.sequence
        return {"format_version": 1, "error": error}


@dataclass(frozen=True)
class Problem:
    """One problem. Times in us, lengths and bucket in tokens."""

    lengths: list[int]
    data_parallel: int
    context_parallel: int
    bucket: int
    padding: Padding
    policy: Policy
    degrees: DegreeClass
    objective: Objective
    a1: float
    a2: float
    fixed: float
    small_shard_tokens: float
    comm: dict[int, tuple[float, float, float]] = field(default_factory=dict)

    @property
    def ranks(self) -> int:
        """All ranks of the machine."""
        return self.data_parallel * self.context_parallel

    def available(self, degree: int) -> bool:
        """Whether a degree has a cost; degree 1 never communicates."""
        return degree == 1 or degree in self.comm

    def class_degrees(self) -> list[int]:
        """Degrees of the problem's class, ascending, whether or not their cost is known."""
        return class_degrees(self.degrees, self.data_parallel, self.context_parallel)


def class_degrees(degrees: str, data_parallel: int, context_parallel: int) -> list[int]:
    """Sizes of the groups that a class allows, ascending."""
    if degrees == "local-or-all":
        return [1] if context_parallel == 1 else [1, context_parallel]
    largest = data_parallel * context_parallel if degrees == "pool" else context_parallel
    found = [1]
    while found[-1] * 2 <= largest:
        found.append(found[-1] * 2)
    return found


def parse_problem(document: Any) -> Problem:
    """The problem of a JSON document; raises ScheduleError with a JSON pointer where it is not one."""
    reader = _Reader()
    reader.keys(document, "", _REQUIRED, _OPTIONAL)
    if document["format_version"] != 1 or isinstance(document["format_version"], bool):
        raise _invalid("must be 1", "/format_version")
    lengths = document["lengths"]
    if not isinstance(lengths, list) or len(lengths) > MOST_SEQUENCES:
        raise _invalid(f"must be a list of at most {MOST_SEQUENCES}", "/lengths")
    cost = document["cost"]
    problem = Problem(
        lengths=[
            reader.integer(n, f"/lengths/{i}", 1, LARGEST_INTEGER) for i, n in enumerate(lengths)
        ],
        data_parallel=reader.integer(document["data_parallel"], "/data_parallel", 1, MOST_RANKS),
        context_parallel=reader.integer(
            document["context_parallel"], "/context_parallel", 1, MOST_RANKS
        ),
        bucket=reader.integer(document["bucket"], "/bucket", 1, LARGEST_INTEGER),
        **reader.cost(cost),
        padding=reader.choice(document, "padding", PADDINGS),
        policy=reader.choice(document, "policy", POLICIES, default="auto"),
        degrees=reader.choice(document, "degrees", DEGREES),
        objective=reader.choice(document, "objective", OBJECTIVES, default="lockstep"),
    )
    reader.integer(document.get("iterations", 0), "/iterations", 0, MOST_ITERATIONS)
    reader.number(document.get("time_budget_ms", 0), "/time_budget_ms", MOST_BUDGET_MS)
    reader.integer(document.get("seed", 0), "/seed", 0, LARGEST_INTEGER)
    _check_meaning(problem)
    return problem


_REQUIRED = ("format_version", "lengths", "data_parallel", "context_parallel", "bucket", "cost")
_OPTIONAL = ("padding", "policy", "degrees", "objective", "iterations", "time_budget_ms", "seed")


def _invalid(message: str, path: str) -> ScheduleError:
    return ScheduleError("invalid-problem", message, path=path)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


class _Reader:
    def keys(
        self, value: Any, path: str, required: tuple[str, ...], optional: tuple[str, ...]
    ) -> None:
        if not isinstance(value, dict):
            raise _invalid("must be object", path)
        for key in required:
            if key not in value:
                raise _invalid(f"the key '{key}' is missing", path + _pointer(key))
        for key in value:
            if key not in required and key not in optional:
                raise _invalid("this key is not known", path + _pointer(key))

    def number(self, value: Any, path: str, high: float = LARGEST_TIME) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high:
            raise _invalid(f"must be a number from 0 to {high}", path)
        return float(value)

    def integer(self, value: Any, path: str, low: int, high: int) -> int:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not low <= value <= high:
            raise _invalid(f"must be a whole number from {low} to {high}", path)
        return int(value)

    def choice(
        self, document: dict[str, Any], key: str, allowed: tuple[str, ...], default: str = ""
    ) -> str:
        value = document.get(key, default or allowed[0])
        if value not in allowed:
            raise _invalid(f"must be one of {','.join(allowed)}", _pointer(key))
        return value

    def cost(self, cost: Any) -> dict[str, Any]:
        self.keys(cost, "/cost", ("a1", "a2", "comm"), ("fixed", "small_shard_tokens"))
        names = ("a1", "a2", "fixed", "small_shard_tokens")
        values: dict[str, Any] = {
            name: self.number(cost.get(name, 0), f"/cost/{name}") for name in names
        }
        comm = cost["comm"]
        if not isinstance(comm, dict):
            raise _invalid("must be object", "/cost/comm")
        values["comm"] = {}
        for key, row in comm.items():
            path = "/cost/comm" + _pointer(key)
            if not re.fullmatch("[2-9]|[1-9][0-9]{1,5}", key):
                raise _invalid("a degree is a whole number of at least 2", path)
            if not isinstance(row, list) or len(row) != 3:
                raise _invalid("must be a list of 3 numbers", path)
            values["comm"][int(key)] = tuple(
                self.number(x, f"{path}/{i}") for i, x in enumerate(row)
            )
        return values


def _check_meaning(problem: Problem) -> None:
    if problem.ranks > MOST_RANKS:
        raise _invalid(f"there are more than {MOST_RANKS} ranks", "/data_parallel")
    if len(problem.lengths) * problem.ranks > MOST_PAIRS:
        raise _invalid(f"sequences times ranks are more than {MOST_PAIRS}", "/lengths")
    power = "must be a power of two for these degrees"
    if problem.degrees != "local-or-all" and problem.context_parallel & (
        problem.context_parallel - 1
    ):
        raise _invalid(power, "/context_parallel")
    if problem.degrees == "pool" and problem.ranks & (problem.ranks - 1):
        raise _invalid(power, "/data_parallel")
