"""The scheduler that runs in training: plain Python, no dependencies, the same schedules as the compiler's."""

from __future__ import annotations

from collections.abc import Callable

from ..contract.limits import MOST_TOKEN_RANKS
from ..contract.records import ScheduleProblem
from .answer import Answer, MicroBatches, PlacementEntry, Schedule
from .cells import Workload, rows_of, rows_time
from .construct import auto
from .cost import (
    Assignment,
    Placement,
    bucket_units,
    communication_of,
    shard_units,
    side_by_side,
)
from .policies import all_sharded, deepspeed, packed, sorted_by_length
from .problem import Problem, ScheduleError, class_degrees, parse_problem

__all__ = [
    "POLICIES",
    "Answer",
    "MicroBatches",
    "Placement",
    "PlacementEntry",
    "Problem",
    "Schedule",
    "ScheduleError",
    "Workload",
    "class_degrees",
    "communication_of",
    "parse_problem",
    "rows_of",
    "rows_time",
    "schedule",
]


POLICIES: dict[str, Callable[[Problem], Assignment]] = {  # every OnlinePolicy of the contract
    "auto": auto,
    "sorted": all_sharded(sorted_by_length),
    "packed": all_sharded(packed),
    "deepspeed": all_sharded(deepspeed),
}


def schedule(document: ScheduleProblem) -> Answer:
    """Solves a scheduling problem, given as the contract's JSON document, and returns the compiler's answer without its
    lower bound, which training does not need.

    Times are in us. Raises ScheduleError (a UserError) with a code where the document is not a problem, or the problem
    has no schedule.
    """
    problem = parse_problem(document)
    _refuse_comparisons(problem)
    _refuse_too_long(problem)
    _refuse_too_many_tokens(problem)
    micro_batches = side_by_side(POLICIES[problem.policy](problem))
    return {
        "format_version": 1,
        "policy": problem.policy,
        "degrees": problem.degrees,
        "objective": problem.objective,
        "micro_batches": [
            {"index": index, "placements": [placement.entry() for placement in placements]}
            for index, placements in enumerate(micro_batches)
        ],
        "iteration_time": rows_time(rows_of(micro_batches, Workload(problem)), problem),
    }


def _refuse_comparisons(problem: Problem) -> None:
    if problem.policy not in POLICIES:
        message = f"{problem.policy} is there for comparison: only the compiler schedules by it"
        raise ScheduleError("invalid-problem", message, path="/policy")


def _refuse_too_long(problem: Problem) -> None:
    degree = problem.class_degrees()[-1]
    for sequence, length in enumerate(problem.lengths):
        # The first comparison is safe for lengths of any size, and padding only adds to it.
        fits = length <= problem.bucket * degree
        if not fits or shard_units(length, degree, problem) > bucket_units(problem):
            message = f"sequence {sequence} of {length} tokens does not fit {degree} ranks of {problem.bucket} tokens"
            raise ScheduleError("sequence-too-long", message, sequence=sequence)


def _refuse_too_many_tokens(problem: Problem) -> None:
    if sum(problem.lengths) * problem.ranks > MOST_TOKEN_RANKS:
        message = f"tokens times ranks are more than {MOST_TOKEN_RANKS}"
        raise ScheduleError("invalid-problem", message, path="/lengths")
