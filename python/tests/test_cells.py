"""Costs of cells and rows, worked out by hand and rank by rank from the contract's words."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from skrull_runtime.scheduling.cells import (
    Cell,
    Workload,
    aligned,
    assignment_of,
    full_cell,
    longest_first,
    make_cell,
    rows_of,
    rows_time,
)
from skrull_runtime.scheduling.cost import Placement
from skrull_runtime.scheduling.problem import Problem

# A sequence of S tokens takes 2 S + S^2 / 100 over its ranks, and 3 S / 100 more on each.
PROBLEM = Problem(
    lengths=[100, 40, 100, 200],
    data_parallel=2,
    context_parallel=4,
    bucket=150,
    padding="exact",
    policy="auto",
    degrees="powers-of-two",
    objective="free",
    a1=2.0,
    a2=0.01,
    fixed=1000.0,
    least=0.0,
    small_shard_tokens=3.0,
    comm={2: (50.0, 10.0, 0.5), 4: (70.0, 20.0, 1.0), 8: (80.0, 30.0, 2.0)},
)


def test_a_workload_has_what_each_degree_costs():
    workload = Workload(PROBLEM)
    assert (workload.size, workload.rows, workload.capacity) == (4, 2, 600)
    assert workload.order == [3, 0, 2, 1]
    assert [level.degree for level in workload.levels] == [1, 2, 4]
    assert [level.slope for level in workload.levels] == [0.0, 0.5, 1.0]
    assert workload.levels[0].work == [303.0, 97.2, 303.0, 806.0]
    assert workload.levels[1].work == [153.0, 49.2, 153.0, 406.0]
    assert workload.levels[2].work == [78.0, 25.2, 78.0, 206.0]
    assert workload.levels[0].units == [400, 160, 400, 800]
    assert workload.levels[2].units == [100, 40, 100, 200]


def test_a_workload_of_a_pool_is_of_the_whole_machine():
    workload = Workload(replace(PROBLEM, degrees="pool"))
    assert (workload.size, workload.rows, workload.capacity) == (8, 1, 600)
    assert [level.degree for level in workload.levels] == [1, 2, 4, 8]


def test_degrees_without_a_cost_are_left_out():
    workload = Workload(replace(PROBLEM, comm={4: (70.0, 20.0, 1.0)}))
    assert [level.degree for level in workload.levels] == [1, 4]
    narrow = Workload(replace(PROBLEM, degrees="local-or-all"))
    assert [level.degree for level in narrow.levels] == [1, 4]


def test_longest_come_first_and_equals_by_index():
    assert longest_first([3, 9, 3, 9, 1]) == [1, 3, 0, 2, 4]


def time_by_rank(sequences, levels, firsts, problem: Problem) -> float:
    """The slowest rank's max(communication, local work) + sharded work, and the fixed cost."""
    if not sequences:
        return 0.0
    degrees = [d for d in (1, 2, 4, 8) if d == 1 or d in problem.comm]
    size = problem.ranks if problem.degrees == "pool" else problem.context_parallel
    times = []
    for rank in range(size):
        local = sharded = 0.0
        volumes: dict[int, int] = {}
        for sequence, n, first in zip(sequences, levels, firsts, strict=True):
            degree, length = degrees[n], problem.lengths[sequence]
            if not first <= rank < first + degree:
                continue
            work = (problem.a1 * length + problem.a2 * length**2) / degree
            work += problem.a2 * problem.small_shard_tokens * length
            if degree == 1:
                local += work
            else:
                sharded += work
                volumes[degree] = volumes.get(degree, 0) + length
        communication = 0.0
        for degree, volume in volumes.items():
            floor, intercept, slope = problem.comm[degree]
            communication += max(floor, intercept + slope * volume)
        times.append(max(communication, local) + sharded)
    return max(times) + problem.fixed


def test_a_cell_takes_as_long_as_its_slowest_rank():
    workload = Workload(PROBLEM)
    # Rank 0: 206 sharded over four, 220 to communicate; rank 1 has 303 to do meanwhile.
    cell = make_cell([3, 0], [2, 0], [0, 1], workload)
    assert cell == Cell([0, 3], [0, 2], [1, 0], 303 + 206 + 1000)
    # Two groups of two: 406 and 110 to communicate, 153 and 60.
    assert make_cell([3, 0], [1, 1], [0, 2], workload).time == 406 + 110 + 1000
    # A sequence that is long beside one that is short on the same ranks.
    both = make_cell([3, 1], [1, 2], [2, 0], workload)
    assert both.time == pytest.approx(406 + 25.2 + 110 + 70 + 1000)
    assert make_cell([], [], [], workload) == Cell([], [], [], 0.0)
    assert make_cell([1], [0], [3], workload).time == pytest.approx(97.2 + 1000)


def test_a_cell_with_everything_on_all_ranks_is_full():
    workload = Workload(PROBLEM)
    expected = Cell([0, 2, 3], [2, 2, 2], [0, 0, 0], 78 + 78 + 206 + (20 + 400) + 1000)
    assert full_cell([3, 0, 2], workload) == expected
    assert make_cell([3, 0, 2], [2, 2, 2], [0, 0, 0], workload) == expected
    # The floor of communication, where little is sent.
    assert full_cell([1], workload).time == pytest.approx(25.2 + 70 + 1000)


@pytest.mark.parametrize("degrees", ["powers-of-two", "pool"])
def test_random_cells_take_what_the_contract_says(degrees: str):
    source = random.Random(2)
    for _ in range(200):
        lengths = [source.randint(1, 300) for _ in range(source.randint(0, 7))]
        problem = replace(PROBLEM, lengths=lengths, degrees=degrees)
        workload = Workload(problem)
        levels = [source.randrange(len(workload.levels)) for _ in lengths]
        if source.random() < 0.2:
            levels = [len(workload.levels) - 1] * len(lengths)
        firsts = [source.randrange(0, workload.size, 2**n) for n in levels]
        sequences = source.sample(range(len(lengths)), len(lengths))
        cell = make_cell(sequences, levels, firsts, workload)
        expected = time_by_rank(sequences, levels, firsts, problem)
        assert cell.time == pytest.approx(expected, rel=1e-12)
        placed = sorted(zip(sequences, levels, firsts, strict=True))
        assert list(zip(cell.sequences, cell.levels, cell.firsts, strict=True)) == placed


def test_a_cell_of_one_rank_does_not_communicate():
    problem = replace(PROBLEM, context_parallel=1, degrees="local-or-all", lengths=[100, 40])
    cell = make_cell([0, 1], [0, 0], [0, 0], Workload(problem))
    assert cell.time == pytest.approx(303 + 97.2 + 1000)


def cells(*times: float) -> list[Cell]:
    """Of these times."""
    return [Cell([], [], [], time) for time in times]


def test_rows_take_the_slowest_or_the_slowest_side_by_side():
    rows = [cells(5, 1, 7), cells(4, 6), []]
    assert rows_time(rows, PROBLEM) == 13
    assert rows_time(rows, replace(PROBLEM, objective="lockstep")) == 5 + 6 + 7
    assert rows_time([cells(1), cells(2, 3)], PROBLEM) == 5
    for objective in ("free", "lockstep"):
        assert rows_time([], replace(PROBLEM, objective=objective)) == 0
        assert rows_time([[], []], replace(PROBLEM, objective=objective)) == 0


def test_aligned_rows_have_their_longest_cells_first_and_equals_as_they_were():
    one, other, longer = Cell([1], [0], [0], 5), Cell([2], [0], [0], 5), Cell([3], [0], [0], 6)
    assert aligned([[one, other, longer], [other, one]]) == [[longer, one, other], [other, one]]


def test_placements_count_ranks_over_the_machine_and_back():
    workload = Workload(PROBLEM)
    rows = [
        [make_cell([0], [1], [2], workload)],
        [make_cell([3, 1], [2, 0], [0, 3], workload), make_cell([2], [0], [1], workload)],
    ]
    assignment = assignment_of(rows, workload)
    assert assignment == [
        [[Placement(0, 2, 2)]],
        [[Placement(1, 7, 1), Placement(3, 4, 4)], [Placement(2, 5, 1)]],
    ]
    micro_batches = [assignment[0][0] + assignment[1][0], assignment[1][1]]
    empty = Cell([], [], [], 0.0)
    assert rows_of(micro_batches, workload) == [[rows[0][0], empty], rows[1]]
