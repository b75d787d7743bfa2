"""A schedule from scratch, without search (src/schedule/construct/, policies/auto.ts)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import get_args

from ..contract.limits import (
    BAND_TRIES,
    FAR_BEHIND,
    MORE_BANDS,
    MORE_CELLS,
    MOST_BANDED,
    MOST_CUT,
    NEARLY_EVEN,
    RESTARTS,
    ROUNDS_PER_ROW,
)
from ..contract.vocabularies import DegreeClass
from .cells import Cell, Rows, Workload, aligned, assignment_of, full_cell, rows_time
from .cost import Assignment
from .placing import INFINITE, improve_by_swaps, put_least_loaded, solve_cell
from .policies import deepspeed, packed, sorted_by_length, unplaceable
from .problem import Problem, ScheduleError

Bins = list[list[int]]


def construct(workload: Workload) -> Rows:
    """Free: the batch over the data-parallel ranks by work, and each one's part by itself. Lockstep: the whole batch over
    cells of the whole machine. Every row's cells longest first."""
    parts = [workload.order] if workload.rows == 1 else _spread_over_rows(workload)
    return aligned([_best_cells(own, workload) for own in parts])


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


def _best_cells(sequences: list[int], workload: Workload) -> list[Cell]:
    """The fastest cells of ``sequences``, longest first, by every cut into the fewest cells and one more."""
    fewest = max(1, math.ceil(_cells_filled(sequences, workload)))
    goal = NEARLY_EVEN * _even_spread(sequences, workload.size, workload)
    best: list[Cell] | None = None
    least = INFINITE
    starts = [(cut, fewest + more) for more in range(MORE_CELLS + 1) for cut in CUTS]
    for cut, count in starts[: max(1, MOST_CUT // max(1, len(workload.order)))]:
        cells = _solve_all(cut(sequences, count, workload), workload, least)
        if cells is None:
            continue
        best, least = cells, _time_of(cells)
        if least <= goal:
            return best
    return best or _cells_that_fit(sequences, fewest + MORE_CELLS, workload)


def _even_spread(sequences: list[int], ranks: int, workload: Workload) -> float:
    """The work of sequences that stay whole, spread evenly over ranks in one micro-batch, us."""
    total = 0.0
    for sequence in sequences:
        total += workload.levels[0].work[sequence]
    return total / ranks + workload.problem.fixed


def _time_of(cells: list[Cell]) -> float:
    time = 0.0
    for cell in cells:
        time += cell.time
    return time


def _cells_filled(sequences: list[int], workload: Workload) -> float:
    """How many cells the memory of sequences fills, not rounded."""
    units = 0.0
    for sequence in sequences:
        units += _least_units(sequence, workload)
    return units / (workload.capacity * workload.size)


def _least_units(sequence: int, workload: Workload) -> float:
    """Least memory of a sequence in a cell, over all of its ranks, at a degree that fits a rank."""
    least = INFINITE
    for degree, _, units, _ in workload.levels:
        own = units[sequence]
        if own <= workload.capacity and own * degree < least:
            least = own * degree
    return least


def _cells_that_fit(sequences: list[int], fewest: int, workload: Workload) -> list[Cell]:
    """Balanced bins, more and more of them until their members fit together."""
    count = fewest + 1
    while count < len(sequences):
        cells = _solve_all(_balanced_bins(sequences, count, workload), workload)
        if cells is not None:
            return cells
        count += math.ceil(count / 4)
    return _solve_all([[sequence] for sequence in sequences], workload) or []


def _solve_all(bins: Bins, workload: Workload, limit: float = INFINITE) -> list[Cell] | None:
    """``limit``: us; gives up as soon as the cells take as long."""
    cells = []
    time = 0.0
    for members in bins:
        if not members:
            continue
        cell = solve_cell(members, workload)
        if cell is None:
            return None
        cells.append(cell)
        time += cell.time
        if time >= limit:
            return None
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


def _chunks(sequences: list[int], count: int, workload: Workload) -> Bins:
    """Sequences cut into runs of about equal memory, in their order."""
    units = [_least_units(sequence, workload) for sequence in sequences]
    total = 0.0
    for own in units:
        total += own
    runs: Bins = [[] for _ in range(count)]
    before = 0.0
    for sequence, own in zip(sequences, units, strict=True):
        # By its middle, so that one which lies across a cut goes where most of it is.
        run = math.floor((before + own / 2) / total * count)
        runs[min(run, count - 1)].append(sequence)
        before += own
    return runs


def _two_streams(divisor: int) -> Callable[[list[int], int, Workload], Bins]:
    """The longest, those that do not fit a rank's bucket divided by ``divisor``, and the others each in runs of equal
    memory, the n-th runs together: the communication of long sequences hides behind the longest of those that stay
    whole."""

    def cut(sequences: list[int], count: int, workload: Workload) -> Bins:
        lengths, bucket = workload.problem.lengths, workload.problem.bucket
        longest = 0
        while longest < len(sequences) and lengths[sequences[longest]] * divisor > bucket:
            longest += 1
        first = _chunks(sequences[:longest], count, workload)
        second = _chunks(sequences[longest:], count, workload)
        return [own + other for own, other in zip(first, second, strict=True)]

    return cut


CUTS = (_balanced_bins, _two_streams(2), _two_streams(4))


def best_bands(count: int, tries: int, workload: Workload) -> Rows | None:
    """Every one of ``count`` cells has a band: as many sequences as ranks, of about the same length, which stay whole and
    hide the communication of the others. ``workload``: whose cells are those of data-parallel ranks."""
    order, size = workload.order, workload.size
    units = workload.levels[0].units
    longest = next((at for at, k in enumerate(order) if units[k] <= workload.capacity), -1)
    last = len(order) - count * size
    if longest < 0 or last < longest or size == 1:
        return None
    best: Rows | None = None
    least = INFINITE
    for n in range(tries):
        bins = _banded_bins(longest + (last - longest) * n // tries, count, workload)
        cells = _solve_all(bins, workload) if bins else None
        if cells is None:
            continue
        rows = _in_rows(cells, workload)
        time = rows_time(rows, workload.problem)
        if time < least:
            best, least = rows, time
    return best


def _banded_bins(start: int, count: int, workload: Workload) -> Bins | None:
    """Bins with a band each, and the other sequences evened out by work; None where one finds no room."""
    order, size = workload.order, workload.size
    end = start + count * size
    work = workload.levels[0].work
    load, room = [0.0] * count, [float(workload.capacity * size)] * count
    members: Bins = [list(range(start + b * size, start + (b + 1) * size)) for b in range(count)]
    for b, band in enumerate(members):
        for position in band:
            load[b] += work[order[position]]
            room[b] -= _least_units(order[position], workload)
    others = [*range(start), *range(end, len(order))]
    bins, failed = put_least_loaded(
        [work[order[position]] for position in others],
        [_least_units(order[position], workload) for position in others],
        load,
        room,
    )
    if failed >= 0:
        return None
    for position, b in zip(others, bins, strict=True):
        members[b].append(position)
    return [[order[position] for position in sorted(own)] for own in members]


def _in_rows(cells: list[Cell], workload: Workload) -> Rows:
    """Side by side by time; or, where rows do not wait for each other, longest first to the row with the least."""
    width = workload.rows
    ordered = aligned([cells])[0]
    if workload.problem.objective == "lockstep":
        return [ordered[row::width] for row in range(width)]
    times = [cell.time for cell in ordered]
    chosen, _ = put_least_loaded(times, [0.0] * len(times), [0.0] * width, [INFINITE] * width)
    rows: Rows = [[] for _ in range(width)]
    for cell, row in zip(ordered, chosen, strict=True):
        rows[row].append(cell)
    return rows


class _Portfolio:
    """The best of what was considered; ties go to the earlier."""

    def __init__(self) -> None:
        self.best: tuple[Rows, Workload] | None = None
        self.time = INFINITE

    def consider(self, rows: Rows, workload: Workload) -> None:
        time = rows_time(rows, workload.problem)
        if self.best is None or time < self.time:
            self.best, self.time = (rows, workload), time

    def construct_all(self, workloads: list[Workload]) -> None:
        """In the classes narrow to wide, unless what is there is good enough."""
        for n, workload in enumerate(workloads):
            goal = NEARLY_EVEN * _even_spread(workload.order, workload.problem.ranks, workload)
            if self.time <= goal:
                continue
            self.consider(construct(workload), workload)
            if n == 0 and self.time > goal and workload.problem.degrees != "pool":
                self._consider_bands(Workload(workload.problem, by_rank=True))

    def _consider_bands(self, workload: Workload) -> None:
        rows = workload.rows
        tries = min(BAND_TRIES, MOST_BANDED // max(1, len(workload.order)))
        level = math.ceil(_cells_filled(workload.order, workload) / rows) * rows
        for count in range(level, level + MORE_BANDS * rows + 1, rows):
            found = best_bands(count, tries, workload)
            if found is None:
                continue
            if rows_time(found, workload.problem) > self.time * FAR_BEHIND:
                return
            self.consider(aligned(found), workload)


def auto(problem: Problem) -> Assignment:
    """The best of the floors and of what is constructed in the problem's class and the narrower ones, each also
    aligned; ties go to the earlier. Raises ScheduleError where a sequence needs a degree whose cost is not known."""
    known = get_args(DegreeClass)
    classes = known[: known.index(problem.degrees) + 1]
    problems = [_in_class(degrees, problem) for degrees in classes]
    portfolio = _Portfolio()
    by_rank = Workload(problems[0], by_rank=True)
    for floor in (deepspeed, packed, sorted_by_length):
        try:
            batches = floor(problems[0])
        except ScheduleError:
            continue
        rows = [[full_cell(batch, by_rank) for batch in own] for own in batches]
        portfolio.consider(rows, by_rank)
        portfolio.consider(aligned(rows), by_rank)
    workloads = [Workload(own) for own in problems]
    portfolio.construct_all([own for own in workloads if _first_unplaceable(own) is None])
    if portfolio.best is None:
        raise unplaceable(_first_unplaceable(Workload(problem)) or 0, problem)
    return assignment_of(*portfolio.best)


def _in_class(degrees: DegreeClass, problem: Problem) -> Problem:
    """The problem in a narrower class; ``pool`` always means lockstep. Without the data-parallel ranks that stay empty
    whatever the policy, but where a pool may form groups of them."""
    objective = "lockstep" if problem.degrees == "pool" else problem.objective
    ranks = problem.data_parallel
    if degrees != "pool":
        ranks = min(ranks, max(1, len(problem.lengths)))
    return replace(problem, degrees=degrees, objective=objective, data_parallel=ranks)


def _first_unplaceable(workload: Workload) -> int | None:
    """The first sequence, longest first, that fits the ranks at no available degree."""
    for sequence in workload.order:
        if all(level.units[sequence] > workload.capacity for level in workload.levels):
            return sequence
    return None
