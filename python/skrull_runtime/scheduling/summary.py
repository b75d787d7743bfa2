"""What a schedule makes of a global batch, for the metrics: padding and imbalance. And the tokens
of a micro-batch's fullest rank."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import SchedulingConfig, problem_of
from .answer import MicroBatches, PlacementEntry
from .cost import work_of
from .problem import parse_problem


@dataclass(frozen=True)
class ScheduleFigures:
    """Figures of one global batch under its schedule."""

    padding: float  # share of the computed tokens that belong to no sequence
    imbalance: float  # modelled work of the slowest rank over that of the average rank; 1 is even


def figures_of(
    schedule: MicroBatches, lengths: list[int], config: SchedulingConfig
) -> ScheduleFigures:
    """Padding and imbalance of a schedule of sequences of these lengths, in tokens."""
    problem = parse_problem(problem_of(config, lengths))
    computed = 0
    slowest = total = 0.0
    own = [0.0] * problem.ranks
    for entry in schedule["micro_batches"]:
        load = [0.0] * problem.ranks
        busy = [False] * problem.ranks
        for placement in entry["placements"]:
            length, degree = lengths[placement["sequence"]], placement["degree"]
            computed += length if degree == 1 else 2 * degree * -(-length // (2 * degree))
            work = work_of(length, degree, problem)
            for rank in range(placement["first_rank"], placement["first_rank"] + degree):
                load[rank] += work
                busy[rank] = True
        computed += busy.count(False)  # one dummy token each
        slowest += max(load)
        total += sum(load)
        own = [before + now for before, now in zip(own, load, strict=True)]
    if problem.objective == "free":
        slowest = max(own)
    return ScheduleFigures(
        padding=1 - sum(lengths) / computed if computed else 0.0,
        imbalance=slowest * problem.ranks / total if total else 1.0,
    )


def fullest_rank(placements: list[PlacementEntry], lengths: list[int]) -> int:
    """Tokens of the rank that has most in a micro-batch, padding included (src/plan/lighter.ts). The number changes
    only where groups begin and end."""
    edges: dict[int, int] = {}
    for placement in placements:
        length, degree = lengths[placement["sequence"]], placement["degree"]
        tokens = length if degree == 1 else 2 * -(-length // (2 * degree))
        first, end = placement["first_rank"], placement["first_rank"] + degree
        edges[first] = edges.get(first, 0) + tokens
        edges[end] = edges.get(end, 0) - tokens
    held = most = 0
    for rank in sorted(edges):
        held += edges[rank]
        most = max(most, held)
    return most
