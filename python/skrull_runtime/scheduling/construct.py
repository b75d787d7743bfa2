"""A schedule from scratch, without search (src/schedule/construct/, policies/auto.ts)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from ..contract.limits import NEARLY_FULL, RESTARTS, ROUNDS_PER_ROW
from ..contract.vocabularies import DegreeClass
from .cells import Cell, Rows, Workload, aligned, assignment_of, full_cell, rows_time
from .cost import Assignment
from .placing import INFINITE, improve_by_swaps, put_least_loaded, solve_cell
from .policies import deepspeed, packed, sorted_by_length, unplaceable
from .problem import Problem, ScheduleError


def construct(workload: Workload) -> Rows:
    """Free: the batch over the data-parallel ranks by work, and each one's part in balanced bins. Lockstep: the whole
    batch in balanced bins, those that take about as long side by side."""
    if workload.problem.objective == "lockstep":
        return _best_rows(workload.order, workload.rows, workload)
    return [(_best_rows(own, 1, workload) or [[]])[0] for own in _spread_over_rows(workload)]


def _spread_over_rows(workload: Workload) -> list[list[int]]:
    work = [workload.levels[0].work[sequence] for sequence in workload.order]
    none = [0.0] * len(work)
    load, room = [0.0] * workload.rows, [INFINITE] * workload.rows
    bins, _ = put_least_loaded(work, none, load, room)
    members: list[list[int]] = [[] for _ in load]
    for item, row in enumerate(bins):
        members[row].append(item)
    floor = [0.0] * workload.rows
    improve_by_swaps(members, work, none, load, room, floor, ROUNDS_PER_ROW * workload.rows)
    return [[workload.order[item] for item in items] for items in members]


def _best_rows(sequences: list[int], width: int, workload: Workload) -> Rows:
    filled = 0.0
    for sequence in sequences:
        filled += _least_units(sequence, workload)
    filled = filled / (workload.capacity * workload.size) / width
    fewest = max(1, math.ceil(filled))
    first = _side_by_side(_cells_of(sequences, fewest * width, workload), width)
    if filled <= NEARLY_FULL * fewest:
        return first
    more = _side_by_side(_cells_of(sequences, (fewest + 1) * width, workload), width)
    problem = workload.problem
    return more if rows_time(more, problem) < rows_time(first, problem) else first


def _least_units(sequence: int, workload: Workload) -> float:
    """Least memory of a sequence in a cell, over all of its ranks, at a degree that fits a rank."""
    least = INFINITE
    for degree, _, units, _ in workload.levels:
        own = units[sequence]
        if own <= workload.capacity and own * degree < least:
            least = own * degree
    return least


def _cells_of(sequences: list[int], fewest: int, workload: Workload) -> list[Cell]:
    count = fewest
    while count < len(sequences):
        cells = _solve_all(_balanced_bins(sequences, count, workload), workload)
        if cells is not None:
            return cells
        count += math.ceil(count / 4)
    return _solve_all([[sequence] for sequence in sequences], workload) or []


def _solve_all(bins: list[list[int]], workload: Workload) -> list[Cell] | None:
    cells = []
    for members in bins:
        cell = solve_cell(members, workload)
        if cell is None:
            return None
        cells.append(cell)
    return cells


def _balanced_bins(sequences: list[int], count: int, workload: Workload) -> list[list[int]]:
    """Longest first to the bin with the least work that has room; more bins than ``count`` where that fails."""
    work = [workload.levels[0].work[sequence] for sequence in sequences]
    units = [_least_units(sequence, workload) for sequence in sequences]
    whole = workload.capacity * workload.size
    for restart in range(RESTARTS):
        bins, failed = put_least_loaded(
            work, units, [0.0] * (count + restart), [whole] * (count + restart)
        )
        if failed < 0:
            break
    else:
        bins, _ = put_least_loaded(work, units, [0.0] * count, [whole] * count, whole)
    members: list[list[int]] = [[] for _ in range(max(bins, default=-1) + 1)]
    for sequence, b in zip(sequences, bins, strict=True):
        members[b].append(sequence)
    return [own for own in members if own]


def _side_by_side(cells: list[Cell], width: int) -> Rows:
    """Cells by time, longest first, dealt in rounds: those of a round take about as long."""
    ordered = aligned([cells])[0]
    return [ordered[row::width] for row in range(width)]


def auto(problem: Problem) -> Assignment:
    """The best of the floors and of what is constructed in the problem's class and the narrower ones, each also
    aligned; ties go to the earlier. Raises ScheduleError where a sequence needs a degree whose cost is not known."""
    objective = "lockstep" if problem.degrees == "pool" else problem.objective
    known = get_args(DegreeClass)
    classes = known[: known.index(problem.degrees) + 1]
    workloads = [Workload(replace(problem, degrees=d, objective=objective)) for d in classes]
    best: tuple[float, Rows, Workload] | None = None
    for rows, workload in _candidates(workloads):
        time = rows_time(rows, workload.problem)
        if best is None or time < best[0]:
            best = (time, rows, workload)
    if best is None:
        raise unplaceable(_first_unplaceable(Workload(problem)) or 0, problem)
    return assignment_of(best[1], best[2])


def _candidates(workloads: list[Workload]) -> Iterator[tuple[Rows, Workload]]:
    for floor in (deepspeed, packed, sorted_by_length):
        try:
            batches = floor(workloads[0].problem)
        except ScheduleError:
            continue
        rows = [[full_cell(batch, workloads[0]) for batch in own] for own in batches]
        yield rows, workloads[0]
        yield aligned(rows), workloads[0]
    for workload in workloads:
        if _first_unplaceable(workload) is None:
            yield aligned(construct(workload)), workload


def _first_unplaceable(workload: Workload) -> int | None:
    """The first sequence, longest first, that fits the ranks at no available degree."""
    for sequence in workload.order:
        if all(level.units[sequence] > workload.capacity for level in workload.levels):
            return sequence
    return None
