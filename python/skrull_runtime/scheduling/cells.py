"""Cells and rows of cells (src/schedule/workload.ts, cell/cell.ts, rows.ts): a cell is one micro-batch on the ranks it
spans, a row the cells that one data-parallel rank runs, or the whole machine."""

from __future__ import annotations

from typing import NamedTuple

from .cost import (
    Assignment,
    Placement,
    bucket_units,
    communication_of,
    micro_batch_time,
    shard_units,
    work_of,
)
from .problem import Problem


class Level(NamedTuple):
    """A degree that groups may have, with work (us) and memory (units) on each rank, by sequence."""

    degree: int
    work: list[float]
    units: list[float]
    slope: float


class Workload:
    """A problem's costs, tabled once, for the ranks that one cell spans: where all wait for the slowest before the next
    micro-batch begins those of the whole machine, else, or where ``by_rank``, those of a data-parallel rank."""

    def __init__(self, problem: Problem, by_rank: bool = False):
        wide = not by_rank and (problem.degrees == "pool" or problem.objective == "lockstep")
        self.problem = problem
        self.size = problem.ranks if wide else problem.context_parallel
        self.rows = 1 if wide else problem.data_parallel
        self.capacity = bucket_units(problem)
        self.levels = [_level(d, problem) for d in problem.class_degrees() if problem.available(d)]
        self.order = longest_first(problem.lengths)


def _level(degree: int, problem: Problem) -> Level:
    work = [work_of(length, degree, problem) for length in problem.lengths]
    units = [shard_units(length, degree, problem) for length in problem.lengths]
    return Level(degree, work, units, problem.comm[degree][2] if degree > 1 else 0.0)


def longest_first(lengths: list[int]) -> list[int]:
    """Indices by length, longest first, ties by index."""
    return sorted(range(len(lengths)), key=lengths.__getitem__, reverse=True)


class Cell(NamedTuple):
    """Three parallel lists, sequences ascending, which fixes the order of every sum; ``firsts`` count from the cell's
    first rank, ``levels`` are indices of the workload's."""

    sequences: list[int]
    levels: list[int]
    firsts: list[int]
    time: float


def make_cell(
    sequences: list[int], levels: list[int], firsts: list[int], workload: Workload
) -> Cell:
    """A cell of sequences in any order, with its time in us."""
    ordered = sorted(zip(sequences, levels, firsts, strict=True))
    sequences = [entry[0] for entry in ordered]
    levels = [entry[1] for entry in ordered]
    firsts = [entry[2] for entry in ordered]
    return Cell(sequences, levels, firsts, _cell_time(sequences, levels, firsts, workload))


def full_cell(sequences: list[int], workload: Workload) -> Cell:
    """A cell with everything on all of its ranks, which the workload's last level must be."""
    count = len(sequences)
    ordered = sorted(sequences)
    time = micro_batch_time(_full_time(ordered, workload), workload.problem)
    return Cell(ordered, [len(workload.levels) - 1] * count, [0] * count, time)


def _cell_time(
    sequences: list[int], levels: list[int], firsts: list[int], workload: Workload
) -> float:
    """By the slowest rank's max(communication, local) + sharded, us (arXiv:2505.19609 Eq. 1 and 2)."""
    if not sequences:
        return 0.0
    problem = workload.problem
    top = len(workload.levels) - 1
    if workload.levels[top].degree == workload.size > 1 and min(levels) == top:
        return micro_batch_time(_full_time(sequences, workload), problem)
    local = [0.0] * workload.size
    sharded = [0.0] * workload.size
    groups: dict[tuple[int, int], int] = {}
    for sequence, n, first in zip(sequences, levels, firsts, strict=True):
        level = workload.levels[n]
        work = level.work[sequence]
        if n == 0:
            local[first] += work
            continue
        for rank in range(first, first + level.degree):
            sharded[rank] += work
        groups[level.degree, first] = (
            groups.get((level.degree, first), 0) + problem.lengths[sequence]
        )
    communication = [0.0] * workload.size
    for (degree, first), tokens in sorted(groups.items()):
        time = communication_of(tokens, degree, problem)
        for rank in range(first, first + degree):
            communication[rank] += time
    times = [max(c, own) + s for c, own, s in zip(communication, local, sharded, strict=True)]
    return micro_batch_time(max(times), problem)


def _full_time(sequences: list[int], workload: Workload) -> float:
    """Everything on all ranks: they are alike."""
    degree, table, _, _ = workload.levels[-1]
    lengths = workload.problem.lengths
    work = 0.0
    tokens = 0
    for sequence in sequences:
        work += table[sequence]
        tokens += lengths[sequence]
    return communication_of(tokens, degree, workload.problem) + work


Rows = list[list[Cell]]


def rows_time(rows: Rows, problem: Problem) -> float:
    """Iteration time of rows, us, under the problem's objective."""
    total = 0.0
    if problem.objective == "lockstep":
        for index in range(max((len(row) for row in rows), default=0)):
            total += max(row[index].time if index < len(row) else 0.0 for row in rows)
        return total
    slowest = 0.0
    for row in rows:
        total = 0.0
        for cell in row:
            total += cell.time
        slowest = max(slowest, total)
    return slowest


def aligned(rows: Rows) -> Rows:
    """Every row's cells by time, longest first, equals as they were: the long ones then run side by side."""
    return [sorted(row, key=lambda cell: -cell.time) for row in rows]


def assignment_of(rows: Rows, workload: Workload) -> Assignment:
    """Micro-batches of every data-parallel rank; cells of all ranks are listed under the first."""
    degrees = [level.degree for level in workload.levels]
    return [
        [
            [
                Placement(sequence, row * workload.size + first, degrees[n])
                for sequence, n, first in zip(cell.sequences, cell.levels, cell.firsts, strict=True)
            ]
            for cell in cells
        ]
        for row, cells in enumerate(rows)
    ]


def rows_of(micro_batches: list[list[Placement]], workload: Workload) -> Rows:
    """The cells of a schedule, micro-batches without sequences included."""
    level_of = {level.degree: n for n, level in enumerate(workload.levels)}
    rows: Rows = [[] for _ in range(workload.rows)]
    for placements in micro_batches:
        own: list[list[Placement]] = [[] for _ in range(workload.rows)]
        for placement in placements:
            own[placement.first_rank // workload.size].append(placement)
        for row, here in enumerate(own):
            cell = make_cell(
                [p.sequence for p in here],
                [level_of[p.degree] for p in here],
                [p.first_rank - row * workload.size for p in here],
                workload,
            )
            rows[row].append(cell)
    return rows
