"""The predicted time of a step: its schedule's time, corrected by what the scheduler cannot know."""

from __future__ import annotations

from ..config import SchedulingConfig, problem_of
from ..contract.records import LighterCost, ScheduleProblem
from . import Placement, PlacementEntry, Schedule, Workload, parse_problem, rows_of, rows_time
from .cells import Rows
from .summary import fullest_rank


def predicted_us(
    schedule: Schedule, scheduling: SchedulingConfig, lengths: list[int], targets: list[int]
) -> float:
    """Time in us of a global batch under its schedule; sequence k has ``lengths[k]`` tokens and ``targets[k]`` targets.

    The scheduler knows lengths only, and charges every token the mean share of a target. Here each sequence is charged
    its own targets, and the step its fixed part. Without a forecast in the run's constants, it is the schedule's own
    time.
    """
    forecast = scheduling.forecast
    if not forecast:
        return schedule["iteration_time"]
    extra = [
        forecast["target_us"] * (own - forecast["target_share"] * length)
        for length, own in zip(lengths, targets, strict=True)
    ]
    placed = [
        [Placement(**placement) for placement in entry["placements"]]
        for entry in schedule["micro_batches"]
    ]
    problem = problem_of(scheduling, lengths)
    lighter = forecast.get("lighter", [])
    costs = [cost_of(entry["placements"], lengths, lighter) for entry in schedule["micro_batches"]]
    made = {cost: _rows(problem, cost, lighter, placed, extra) for cost in {None, *costs}}
    rows = [
        [made[cost][row][index] for index, cost in enumerate(costs)]
        for row in range(len(made[None]))
    ]
    return rows_time(rows, parse_problem(problem)) + forecast["fixed_us"]


def cost_of(
    placements: list[PlacementEntry], lengths: list[int], lighter: list[LighterCost]
) -> int | None:
    """Which of the lighter costs a micro-batch has; None where it has the problem's own."""
    fullest = fullest_rank(placements, lengths) if lighter else 0
    fitting = (number for number, cost in enumerate(lighter) if fullest <= cost["tokens"])
    return next(fitting, None)


def _rows(
    document: ScheduleProblem,
    cost: int | None,
    lighter: list[LighterCost],
    placed: list[list[Placement]],
    extra: list[float],
) -> Rows:
    """All micro-batches under one of the costs; sequence k takes ``extra[k]`` us more than its tokens say."""
    if cost is not None:
        own = lighter[cost]
        changed = {"a1": own["a1"], "a2": own["a2"], "comm": own["comm"]}
        document = {**document, "cost": {**document["cost"], **changed}}  # type: ignore[typeddict-item]
    workload = Workload(parse_problem(document))
    for level in workload.levels:
        for k, more in enumerate(extra):
            level.work[k] += more / level.degree
    return rows_of(placed, workload)
