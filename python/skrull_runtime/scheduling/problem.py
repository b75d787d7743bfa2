"""The scheduling problem, as the compiler's ``src/schedule/problem.ts`` has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..contract import document as contract
from ..contract.limits import MOST_PAIRS, MOST_RANKS
from ..contract.vocabularies import DegreeClass, Objective, Padding, Policy
from ..errors import UserError
from ..schema import fault_in

PROBLEM_SCHEMA = "schedule-problem.schema.json"
LARGEST_INTEGER = 2**53 - 1


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
    least: float
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
    fault = fault_in(document, PROBLEM_SCHEMA)
    if fault is not None:
        raise _invalid(fault.what, fault.place)
    cost = document["cost"]
    problem = Problem(
        lengths=list(map(int, document["lengths"])),
        data_parallel=int(document["data_parallel"]),
        context_parallel=int(document["context_parallel"]),
        bucket=int(document["bucket"]),
        padding=_stated(document, "padding"),
        policy=_stated(document, "policy"),
        degrees=_stated(document, "degrees"),
        objective=_stated(document, "objective"),
        a1=float(cost["a1"]),
        a2=float(cost["a2"]),
        fixed=float(cost.get("fixed", 0)),
        least=float(cost.get("least", 0)),
        small_shard_tokens=float(cost.get("small_shard_tokens", 0)),
        comm={int(degree): _row(*row) for degree, row in cost["comm"].items()},
    )
    _check_meaning(problem)
    return problem


def _row(floor: float, intercept: float, slope: float) -> tuple[float, float, float]:
    return float(floor), float(intercept), float(slope)


def _stated(document: Any, key: str) -> Any:
    """A value of the problem, else its default."""
    return document.get(key, contract(PROBLEM_SCHEMA)["properties"][key]["default"])


def _invalid(message: str, path: str) -> ScheduleError:
    return ScheduleError("invalid-problem", message, path=path)


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
