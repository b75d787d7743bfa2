"""What no schedule can beat (src/schedule/lower-bound.ts), bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable

from .cells import Level, Workload
from .cost import communication_of

MOST_ROUNDS = 32
INFINITE = math.inf

# What a sequence at a level adds to the sum of all ranks' times, at least; us.
Costs = Callable[[int, Level, Workload], float]


def lower_bound(workload: Workload) -> float:
    """A time, us, that no schedule of the problem's degrees and objective can beat: the largest of four bounds."""
    if not workload.problem.lengths:
        return 0.0
    alone = _longest_alone(workload)
    work = _sum_over_ranks(workload, alone, _work_costs)
    communication = _sum_over_ranks(workload, alone, _communication_costs)
    return max(alone, work, communication, _shared_row(workload))


def _longest_alone(workload: Workload) -> float:
    """The sequence that takes longest alone, at its best degree."""
    longest = 0.0
    for k in range(len(workload.problem.lengths)):
        best = INFINITE
        for level in workload.levels:
            if level.units[k] <= workload.capacity:
                best = min(best, _time_alone(k, level, workload))
        if longest < best < INFINITE:
            longest = best
    return longest + workload.problem.fixed


def _time_alone(sequence: int, level: Level, workload: Workload) -> float:
    problem = workload.problem
    own = level.work[sequence]
    return communication_of(problem.lengths[sequence], level.degree, problem) + own


def _work_costs(sequence: int, level: Level, workload: Workload) -> float:
    """max(communication, local work) >= local work: work alone."""
    return level.degree * level.work[sequence]


def _communication_costs(sequence: int, level: Level, workload: Workload) -> float:
    """max(communication, local work) >= communication: sharded work and its communication; a group's start-up is
    shared by no more sequences than fit it."""
    if level.degree == 1:
        return 0.0
    _, intercept, slope = workload.problem.comm[level.degree]
    tokens = workload.problem.lengths[sequence]
    start = intercept * (level.units[sequence] / workload.capacity)
    return level.degree * (level.work[sequence] + slope * tokens + start)


def _sum_over_ranks(workload: Workload, since: float, costs: Costs) -> float:
    """The sum of what sequences cost, spread evenly over all ranks, with the fixed cost of the fewest micro-batches.

    In a time T no sequence can have a degree at which it alone takes longer: the smallest T that is not below the sum
    that it implies.
    """
    ranks, fixed = workload.problem.ranks, workload.problem.fixed
    always = _fixed_cost(workload)
    cheapest = [_cheapest(k, workload, costs) for k in range(len(workload.problem.lengths))]
    total = 0.0
    for cost, _ in cheapest:
        total += cost
    time = max(since, total / ranks + always)
    settled = 0.0
    giants = []
    for k, (cost, alone) in enumerate(cheapest):
        if alone + fixed <= time:
            settled += cost
        else:
            giants.append(_options(k, workload, costs))
    for _ in range(MOST_ROUNDS):
        total = settled
        after = INFINITE
        for options in giants:
            least = INFINITE
            for alone, cost in options:
                if alone + fixed > time:
                    after = min(after, alone + fixed)
                else:
                    least = min(least, cost)
            total += least
        implied = total / ranks + always
        if implied <= time:
            return time
        if implied <= after:
            return implied
        time = after
    return time


def _cheapest(sequence: int, workload: Workload, costs: Costs) -> tuple[float, float]:
    """A sequence's least cost at a degree that fits, and its time alone there; zeros where none fits."""
    least, alone = INFINITE, 0.0
    for level in workload.levels:
        if level.units[sequence] <= workload.capacity:
            cost = costs(sequence, level, workload)
            if cost < least:
                least, alone = cost, _time_alone(sequence, level, workload)
    return (0.0, 0.0) if least == INFINITE else (least, alone)


def _options(sequence: int, workload: Workload, costs: Costs) -> list[tuple[float, float]]:
    """A sequence's time alone and cost at every degree that fits."""
    return [
        (_time_alone(sequence, level, workload), costs(sequence, level, workload))
        for level in workload.levels
        if level.units[sequence] <= workload.capacity
    ]


def _fixed_cost(workload: Workload) -> float:
    """Fixed cost of the fewest micro-batches that memory allows, spread over the rows that share them."""
    problem = workload.problem
    units = 0
    for length in problem.lengths:
        units += length * problem.context_parallel
    micro_batches = max(1, math.ceil(units / (workload.capacity * workload.size)))
    return max(problem.fixed * micro_batches / workload.rows, problem.fixed)


def _shared_row(workload: Workload) -> float:
    """Of the k R + 1 longest sequences, some of R rows gets k + 1: the work of the shortest of them, over its ranks."""
    work = workload.levels[0].work
    up_to = [0.0]
    for sequence in workload.order:
        up_to.append(up_to[-1] + work[sequence])
    most = 0.0
    k = 1
    while k * workload.rows < len(workload.order):
        most = max(most, up_to[k * workload.rows + 1] - up_to[k * workload.rows - k])
        k += 1
    return most / workload.size + workload.problem.fixed
