"""A schedule from scratch: which cells are made, in how many bins, and whose schedule is taken."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from skrull_runtime.scheduling import construct as module
from skrull_runtime.scheduling.cells import Cell, Workload, make_cell, rows_time
from skrull_runtime.scheduling.construct import auto, construct
from skrull_runtime.scheduling.placing import put_least_loaded, solve_cell
from skrull_runtime.scheduling.problem import Problem, ScheduleError

# A sequence of S tokens takes S us on one rank.
PROBLEM = Problem(
    lengths=[],
    data_parallel=2,
    context_parallel=2,
    bucket=100,
    padding="exact",
    policy="auto",
    degrees="local-or-all",
    objective="free",
    a1=1.0,
    a2=0.0,
    fixed=10.0,
    least=0.0,
    small_shard_tokens=0.0,
    comm={2: (30.0, 0.0, 0.0), 4: (30.0, 0.0, 0.0)},
)


def workload_of(lengths: list[int], **change) -> Workload:
    """Of such sequences."""
    return Workload(replace(PROBLEM, lengths=lengths, **change))


def sequences(rows: list[list[Cell]]) -> list[list[list[int]]]:
    """Of every cell of every row."""
    return [[cell.sequences for cell in row] for row in rows]


def test_memory_is_counted_at_the_degree_that_takes_least_and_fits():
    zigzag = workload_of([100, 101, 99, 3], padding="zigzag")
    # Units are half tokens. 3 tokens over two ranks are four chunks of one, 101 are four of 26.
    assert [module._least_units(s, zigzag) for s in range(4)] == [200, 208, 198, 6]
    exact = workload_of([100, 101, 201])
    assert [module._least_units(s, exact) for s in range(3)] == [200, 202, math.inf]


def test_bins_are_evened_out_by_work_and_open_where_none_has_room():
    workload = workload_of([90, 80, 70, 60, 50])
    # Room for 200 each: 90 and 60, 80 and 70 and 50.
    assert module._balanced_bins(workload.order, 2, workload) == [[0, 3, 4], [1, 2]]
    assert module._balanced_bins(workload.order, 9, workload) == [[0], [1], [2], [3], [4]]
    # 150 do not fit twice beside each other: one more bin is tried, twice, and then as many as it takes.
    large = workload_of([150] * 3)
    assert module._balanced_bins([0, 1, 2], 1, large) == [[0], [1], [2]]
    assert module._balanced_bins([0, 1, 2], 2, large) == [[0], [1], [2]]
    five = workload_of([150] * 5 + [40])
    assert module._balanced_bins(five.order, 1, five) == [[0, 5], [1], [2], [3], [4]]
    assert module._balanced_bins(five.order, 3, five) == [[0, 5], [1], [2], [3], [4]]


def test_growing_bins_take_what_was_put_before_into_account():
    def growing(work: list[float], units: list[float], count: int) -> list[int]:
        return put_least_loaded(work, units, [0.0] * count, [10.0] * count, 10.0)[0]

    # The second has no room beside the first; the third goes to the lighter, and so does the fourth while it is.
    assert growing([5.0, 4.0, 3.0, 2.0], [6.0, 6.0, 3.0, 3.0], 1) == [0, 1, 1, 0]
    assert growing([1.0, 1.0, 1.0], [9.0, 9.0, 9.0], 2) == [0, 1, 2]
    assert growing([], [], 1) == []


@pytest.mark.parametrize("falling", [True, False])
def test_an_item_goes_where_a_look_at_all_bins_would_put_it(falling: bool):
    draw = random.Random(4)
    for _ in range(200):
        items = [(draw.randrange(10), draw.randrange(13)) for _ in range(draw.randrange(40))]
        if falling:
            items.sort(key=lambda item: -item[1])
        load = [float(b % 3) for b in range(draw.randrange(1, 20))]
        room = [float(draw.randrange(31)) for _ in load]
        expected, plain = [], (load[:], room[:])
        for work, units in items:
            fitting = [b for b, own in enumerate(plain[1]) if own >= units]
            if not fitting:
                break
            b = min(fitting, key=lambda own: (plain[0][own], own))
            plain[0][b] += work
            plain[1][b] -= units
            expected.append(b)
        found, failed = put_least_loaded(
            [float(work) for work, _ in items], [float(units) for _, units in items], load, room
        )
        assert (found, load, room) == (expected, *plain)
        assert failed == (-1 if len(expected) == len(items) else len(expected))


def test_restarts_are_three():
    tried: list[int] = []
    actual = module.put_least_loaded

    def counting(work, units, load, room, whole=None):
        tried.append(len(load))
        return actual(work, units, load, room, whole)

    workload = workload_of([150] * 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "put_least_loaded", counting)
        module._balanced_bins(workload.order, 2, workload)
    # Two bins, three, four; then two that grow to six.
    assert tried == [2, 3, 4, 2]


def test_the_batch_is_spread_over_rows_by_work():
    workload = workload_of([90, 80, 70, 60, 50, 40])
    assert module._spread_over_rows(workload) == [[0, 3, 4], [1, 2, 5]]
    # 8 + 5 + 5 and 7 + 6: an exchange of 7 for 5 evens them out better than least loaded alone.
    swapped = workload_of([8, 7, 6, 5, 5])
    spread = module._spread_over_rows(swapped)
    assert sorted(sum(swapped.problem.lengths[s] for s in own) for own in spread) == [15, 16]
    assert all(own == sorted(own) for own in spread)


def fake_cells(times: list[float], monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Cells take these times by the number of members; returns the members that are asked for, cell by cell."""
    asked: list[list[int]] = []

    def solve(members: list[int], workload: Workload) -> Cell | None:
        asked.append(list(members))
        time = times[len(members)]
        return None if time == math.inf else Cell(sorted(members), [], [], time)

    monkeypatch.setattr(module, "solve_cell", solve)
    return asked


def noted_cuts(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Which cut was asked for how many cells, call by call."""
    asked: list[tuple[int, int]] = []

    def noting(n: int, cut):
        def noted(own: list[int], count: int, workload: Workload) -> list[list[int]]:
            asked.append((n, count))
            return cut(own, count, workload)

        return noted

    monkeypatch.setattr(module, "CUTS", tuple(noting(n, cut) for n, cut in enumerate(module.CUTS)))
    return asked


def test_every_cut_is_tried_with_the_fewest_cells_and_one_more(monkeypatch: pytest.MonkeyPatch):
    asked = noted_cuts(monkeypatch)
    # 290 tokens in cells of 200.
    module._best_cells([0, 1, 2, 3], workload_of([80, 70, 70, 70]))
    assert asked == [(0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3)]
    # Two ranks with 100 us each take no longer than an even spread.
    asked.clear()
    module._best_cells([0, 1], workload_of([100, 100]))
    assert asked == [(0, 1)]


def test_a_large_batch_is_cut_in_fewer_ways(monkeypatch: pytest.MonkeyPatch):
    asked = noted_cuts(monkeypatch)
    for count, tried in ((768, 2), (512, 3), (1536, 1), (4000, 1)):
        asked.clear()
        # No cell is found, so that no cut is good enough.
        monkeypatch.setattr(module, "_solve_all", lambda *_: None)
        workload = workload_of([1] * count)
        monkeypatch.setattr(module, "_cells_that_fit", lambda *_: [])
        module._best_cells(workload.order, workload)
        assert len(asked) == tried


def test_the_fastest_cells_are_taken_and_the_earlier_of_equals(monkeypatch: pytest.MonkeyPatch):
    cuts = (lambda *_: [[0, 1]], lambda *_: [[1], [0]])
    monkeypatch.setattr(module, "CUTS", cuts)
    # An even spread takes 80.5 us, which is never reached.
    for times, taken in (
        ([0, 50, 99], [[0, 1]]),
        ([0, 49, 99], [[1], [0]]),
        ([0, 50, 100], [[0, 1]]),
    ):
        fake_cells(times, monkeypatch)
        cells = module._best_cells([0, 1], workload_of([71, 70]))
        assert [cell.sequences for cell in cells] == taken


def test_more_bins_are_made_until_every_cell_is_found(monkeypatch: pytest.MonkeyPatch):
    counts: list[int] = []
    actual = module._balanced_bins

    def counting(own: list[int], count: int, workload: Workload) -> list[list[int]]:
        counts.append(count)
        return actual(own, count, workload)

    monkeypatch.setattr(module, "_balanced_bins", counting)
    fake_cells([0, 5, *[math.inf] * 20], monkeypatch)
    workload = workload_of([1] * 12)
    cells = module._cells_that_fit(workload.order, 1, workload)
    assert counts == [2, 3, 4, 5, 7, 9]
    assert [cell.sequences for cell in cells] == [[n] for n in range(12)]
    fake_cells([0, math.inf], monkeypatch)
    assert module._cells_that_fit([0], 1, workload_of([1])) == []
    assert module._solve_all([[0], [1]], workload_of([1, 1])) is None


def test_cells_are_given_up_where_they_take_as_long_as_others(monkeypatch: pytest.MonkeyPatch):
    asked = fake_cells([0, 5], monkeypatch)
    workload = workload_of([1, 1, 1])
    assert module._solve_all([[0], [], [1], [2]], workload, 15.1) is not None
    asked.clear()
    assert module._solve_all([[0], [1], [2]], workload, 10.0) is None
    assert len(asked) == 2


def test_runs_have_equal_memory_and_what_lies_across_a_cut_goes_where_most_of_it_is():
    workload = workload_of([40, 30, 20, 10, 10, 10], data_parallel=1)
    assert module._chunks(workload.order, 2, workload) == [[0, 1], [2, 3, 4, 5]]
    assert module._chunks([], 2, workload) == [[], []]
    streams = workload_of([180, 120, 90, 60, 30, 20], data_parallel=1)
    assert module._two_streams(1)(streams.order, 2, streams) == [[0, 2], [1, 3, 4, 5]]
    assert module._two_streams(2)(streams.order, 2, streams) == [[0, 4], [1, 2, 3, 5]]


def test_bands_are_of_neighbours_and_the_others_are_evened_out():
    workload = Workload(replace(PROBLEM, lengths=[90, 80, 70, 60, 50, 40]), by_rank=True)
    assert module._banded_bins(1, 2, workload) == [[1, 2, 5], [0, 3, 4]]
    assert module._banded_bins(0, 1, workload) is None  # 390 tokens do not fit a cell of 200
    assert module.best_bands(4, 8, workload) is None
    assert module.best_bands(2, 0, workload) is None
    alone = Workload(replace(PROBLEM, lengths=[5, 5], context_parallel=1), by_rank=True)
    assert module.best_bands(1, 8, alone) is None
    found = module.best_bands(2, 8, workload)
    assert found is not None
    assert sorted(k for row in found for cell in row for k in cell.sequences) == list(range(6))


def test_bands_run_side_by_side_by_time_or_where_least_is():
    cells = [Cell([n], [0], [0], time) for n, time in enumerate([3.0, 9.0, 5.0, 9.0, 1.0])]
    free = Workload(replace(PROBLEM, lengths=[1] * 5), by_rank=True)
    # 9 and 9, then 5 and 3, then 1 to the row with 12.
    assert sequences(module._in_rows(cells, free)) == [[[1], [2]], [[3], [0], [4]]]
    lockstep = Workload(replace(PROBLEM, lengths=[1] * 5, objective="lockstep"), by_rank=True)
    assert sequences(module._in_rows(cells, lockstep)) == [[[1], [2], [4]], [[3], [0]]]


def test_free_rows_have_their_own_parts_and_lockstep_cells_of_the_whole_machine():
    # Sequences of 90 whole on a rank each: a row has room for two in a cell.
    lengths = [90, 80, 70, 60]
    free = construct(workload_of(lengths))
    assert sequences(free) == [[[0, 3]], [[1, 2]]]
    assert rows_time(free, PROBLEM) == 100
    lockstep = workload_of(lengths, objective="lockstep")
    assert sequences(construct(lockstep)) == [[[0, 1, 2, 3]]]
    assert construct(workload_of([5])) == [[make_cell([0], [0], [0], workload_of([5]))], []]
    assert sequences(construct(workload_of([]))) == [[], []]


def test_every_sequence_is_in_one_cell_whatever_the_problem():
    source = random.Random(3)
    for _ in range(60):
        lengths = [source.randint(1, 200) for _ in range(source.randint(0, 30))]
        objective = source.choice(["free", "lockstep"])
        workload = workload_of(lengths, objective=objective)
        rows = construct(workload)
        found = sorted(k for row in rows for cell in row for k in cell.sequences)
        assert found == list(range(len(lengths)))


def used(problem: Problem) -> list[list[tuple[int, int, int]]]:
    """Of every row and micro-batch: sequence, first rank, degree."""
    return [[tuple(p) for batch in row for p in batch] for row in auto(problem)]


def test_a_problem_is_solved_in_its_class_and_the_narrower_ones(monkeypatch: pytest.MonkeyPatch):
    asked: list[tuple[str, str]] = []

    def noting(workload: Workload):
        asked.append((workload.problem.degrees, workload.problem.objective))
        return construct(workload)

    monkeypatch.setattr(module, "construct", noting)
    classes = ["local-or-all", "powers-of-two", "pool"]
    for n, degrees in enumerate(classes):
        asked.clear()
        auto(replace(PROBLEM, lengths=[50, 60], degrees=degrees))
        objective = "lockstep" if degrees == "pool" else "free"
        assert asked == [(own, objective) for own in classes[: n + 1]]


def test_classes_in_which_a_sequence_fits_nowhere_are_left_out(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def noting(workload: Workload):
        asked.append(workload.problem.degrees)
        return construct(workload)

    monkeypatch.setattr(module, "construct", noting)
    assert used(replace(PROBLEM, lengths=[5, 201], degrees="pool"))[0] != []
    assert asked == ["pool"]
    asked.clear()
    auto(replace(PROBLEM, lengths=[5, 200], degrees="pool"))
    assert asked == ["local-or-all", "powers-of-two", "pool"]
    without = replace(PROBLEM, lengths=[5, 201, 300], degrees="pool", comm={2: (1.0, 0.0, 0.0)})
    with pytest.raises(ScheduleError, match="sharded over 4 ranks"):
        auto(without)


def test_floors_are_considered_as_they_are_and_aligned(monkeypatch: pytest.MonkeyPatch):
    considered: list[list[list[list[int]]]] = []
    consider = module._Portfolio.consider

    def noting(self, rows, workload):
        considered.append(sequences(rows))
        consider(self, rows, workload)

    monkeypatch.setattr(module._Portfolio, "consider", noting)
    problem = replace(PROBLEM, lengths=[20, 180, 180, 20], data_parallel=1)
    auto(problem)
    # 200 tokens a micro-batch, in the batch's order and sorted.
    packed, longest = [[[0, 1], [2, 3]]], [[[1], [0, 2], [3]]]
    assert considered[0] == [[[0], [1], [2], [3]]]
    assert considered[1] == [[[1], [2], [0], [3]]]
    assert considered[2] == considered[3] == packed
    assert considered[4] == longest
    assert len(considered) > 6


def test_the_fastest_is_taken_and_the_earlier_of_equals():
    workload = workload_of([5])
    portfolio = module._Portfolio()
    rows = [[[Cell([0], [0], [n], float(time))]] for n, time in enumerate([6, 3, 5, 3])]
    for own in rows:
        portfolio.consider(own, workload)
    assert portfolio.best == (rows[1], workload)


def test_classes_in_which_nothing_fits_have_no_floors_and_no_construction():
    problem = replace(PROBLEM, lengths=[201, 5], degrees="pool", objective="lockstep")
    classes = ("local-or-all", "powers-of-two", "pool")
    workloads = [Workload(replace(problem, degrees=own)) for own in classes]
    assert module._first_unplaceable(workloads[0]) == 0
    assert module._first_unplaceable(workloads[2]) is None
    # The longest of those that do not fit.
    several = workload_of([201, 5, 300])
    assert module._first_unplaceable(several) == 2
    assert module._first_unplaceable(workload_of([200, 5])) is None


def test_cells_are_those_of_the_cell_solver():
    workload = workload_of([90, 80, 70, 60, 50], data_parallel=1)
    (row,) = construct(workload)
    for cell in row:
        members = sorted(cell.sequences, key=lambda k: (-workload.problem.lengths[k], k))
        assert cell == solve_cell(members, workload)
