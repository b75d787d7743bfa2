"""The predicted time of a step: its schedule's time, corrected by what the scheduler cannot know."""

from __future__ import annotations

from ..config import SchedulingConfig, problem_of
from . import Placement, Schedule, Workload, parse_problem, rows_of, rows_time


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
    problem = parse_problem(problem_of(scheduling, lengths))
    workload = Workload(problem)
    for level in workload.levels:
        for k, (length, own) in enumerate(zip(lengths, targets, strict=True)):
            extra = forecast["target_us"] * (own - forecast["target_share"] * length)
            level.work[k] += extra / level.degree
    placed = [
        [Placement(**placement) for placement in entry["placements"]]
        for entry in schedule["micro_batches"]
    ]
    return rows_time(rows_of(placed, workload), problem) + forecast["fixed_us"]
