"""Sequences of one cell are placed as the rules say: rules that are written out here in their plainest form."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace

import pytest

from skrull_runtime.scheduling import placing
from skrull_runtime.scheduling.cells import Workload, make_cell
from skrull_runtime.scheduling.cost import work_of
from skrull_runtime.scheduling.placing import (
    best_target,
    best_threshold,
    improve_by_swaps,
    place,
    put_least_loaded,
    solve_cell,
)
from skrull_runtime.scheduling.problem import Problem

PROBLEM = Problem(
    lengths=[],
    data_parallel=1,
    context_parallel=4,
    bucket=1000,
    padding="exact",
    policy="auto",
    degrees="powers-of-two",
    objective="free",
    a1=1.0,
    a2=0.002,
    fixed=100.0,
    least=0.0,
    small_shard_tokens=16.0,
    comm={2: (100.0, 50.0, 0.2), 4: (150.0, 100.0, 0.3)},
)
INFINITE = float("inf")


def naive_put(work, units, load, room):
    """Looks at every bin for every item."""
    bins = []
    for own, need in zip(work, units, strict=True):
        fitting = [b for b in range(len(load)) if room[b] >= need]
        if not fitting:
            return bins, len(bins)
        chosen = min(fitting, key=lambda b: (load[b], b))
        load[chosen] += own
        room[chosen] -= need
        bins.append(chosen)
    return bins, -1


def test_items_go_to_the_least_loaded_bin_that_has_room():
    load, room = [5.0, 1.0, 1.0], [9.0, 3.0, 9.0]
    assert put_least_loaded([2, 9, 1, 1], [3, 9, 1, 0], load, room) == ([1, 2, 0, 1], -1)
    assert (load, room) == ([6.0, 4.0, 10.0], [8.0, 0.0, 0.0])
    assert put_least_loaded([1, 1], [8, 1], load, room) == ([0], 1)
    assert put_least_loaded([], [], load, room) == ([], -1)


def test_items_go_where_a_look_at_every_bin_puts_them():
    source = random.Random(1)
    for _ in range(300):
        count = source.randint(1, 6)
        load = [float(source.randint(0, 5)) for _ in range(count)]
        room = [float(source.randint(0, 12)) for _ in range(count)]
        items = source.randint(0, 12)
        work = [float(source.randint(0, 6)) for _ in range(items)]
        units = [float(source.randint(0, 4)) for _ in range(items)]
        ours, theirs = (load[:], room[:]), (load[:], room[:])
        assert put_least_loaded(work, units, *ours) == naive_put(work, units, *theirs)
        assert ours == theirs


def exchanges(heavy, light, work, units, gap, free):
    """Every exchange that helps, with how far its difference is from half of the gap."""
    for given in heavy:
        for taken in [*light, -1]:
            difference = work[given] - (work[taken] if taken >= 0 else 0)
            need = units[given] - (units[taken] if taken >= 0 else 0)
            if 0 < difference < gap and need <= free:
                yield abs(difference - gap / 2), given, taken


def near(heavy, light, work, gap) -> set:
    """Those that are looked at: for every item the two of the lightest bin that are nearest to what is wanted."""
    found = set()
    for given in heavy:
        wanted = work[given] - gap / 2
        at = next((n for n, item in enumerate(light) if work[item] <= wanted), len(light))
        found.add((given, light[at] if at < len(light) else -1))
        if at > 0:
            found.add((given, light[at - 1]))
    return found


def test_an_exchange_is_the_one_nearest_to_half_of_the_gap():
    source = random.Random(4)
    made = 0
    for _ in range(500):
        work = sorted((float(source.randint(0, 30)) for _ in range(9)), reverse=True)
        units = [float(source.randint(1, 9)) for _ in work]
        split = [source.random() < 0.5 for _ in work]
        heavy = [n for n in range(9) if split[n]]
        light = [n for n in range(9) if not split[n]]
        gap, free = float(source.randint(1, 40)), float(source.randint(0, 9))
        found = placing._best_exchange(heavy, light, work, units, gap, free)
        looked_at = near(heavy, light, work, gap)
        fitting = [
            own
            for own in exchanges(heavy, light, work, units, gap, free)
            if (own[1], own[2]) in looked_at
        ]
        if not fitting:
            assert found is None
            continue
        made += 1
        assert found is not None
        distances = {(given, taken): distance for distance, given, taken in fitting}
        assert distances[found] == min(distances.values())
        # Of equals the first item, and the one that is no larger than wanted.
        equal = [pair for pair, distance in distances.items() if distance == distances[found]]
        assert found[0] == min(given for given, _ in equal)
    assert made > 200


def swapped(members, work, units, load, room, floor, rounds):
    """What is left, with copies of all that is changed."""
    members, load, room = [own[:] for own in members], load[:], room[:]
    improve_by_swaps(members, work, units, load, room, floor, rounds)
    return members, load, room


def test_the_heaviest_gives_to_the_lightest_while_that_helps():
    work, units = [8.0, 5.0, 4.0, 1.0], [3.0, 2.0, 2.0, 1.0]
    members, load, room = [[0, 1], [2, 3]], [13.0, 5.0], [1.0, 2.0]
    # Half of the gap is 4: 8 for 4.
    once = swapped(members, work, units, load, room, [0.0, 0.0], 1)
    assert once == ([[1, 2], [0, 3]], [9.0, 9.0], [2.0, 1.0])
    assert swapped(members, work, units, load, room, [0.0, 0.0], 5) == once
    assert swapped(members, work, units, load, room, [0.0, 0.0], 0) == (members, load, room)
    # With room for nothing more, only what takes no more; 5 for 4.
    tight = swapped(members, work, units, load, [1.0, 0.0], [0.0, 0.0], 1)
    assert tight == ([[0, 2], [1, 3]], [12.0, 6.0], [1.0, 0.0])


def test_an_item_is_given_for_none_in_return():
    work, units = [4.0, 3.0, 1.0], [2.0, 2.0, 2.0]
    found = swapped([[0, 1, 2], []], work, units, [8.0, 0.0], [0.0, 6.0], [0.0, 0.0], 1)
    assert found == ([[1, 2], [0]], [4.0, 4.0], [2.0, 4.0])


def test_a_bin_whose_floor_is_highest_needs_no_help():
    work, units = [4.0, 3.0], [1.0, 1.0]
    members, load, room = [[0, 1], []], [7.0, 0.0], [5.0, 5.0]
    same = (members, load, room)
    assert swapped(members, work, units, load, room, [7.0, 0.0], 3) == same
    assert swapped(members, work, units, load, room, [0.0, 8.0], 3) == same
    helped = swapped(members, work, units, load, room, [6.0, 0.0], 1)
    assert helped[1] == [3.0, 4.0] or helped[1] == [4.0, 3.0]
    # A single bin has no other, and nothing is heaviest where nothing weighs anything.
    assert swapped([[0, 1]], work, units, [7.0], [5.0], [0.0], 3) == ([[0, 1]], [7.0], [5.0])
    assert swapped([[], []], [], [], [0.0, 0.0], [1.0, 1.0], [0.0, 0.0], 3)[1] == [0.0, 0.0]


def naive_place(members, levels, workload: Workload) -> tuple[float, list[int], int]:
    """Every rank has its own room and times; groups take the state of their first rank. Without exchanges."""
    problem, size = workload.problem, workload.size
    room = [float(workload.capacity)] * size
    sharded, communication, local = [0.0] * size, [0.0] * size, [0.0] * size
    firsts = [0] * len(members)
    for n in reversed(range(1, len(workload.levels))):
        degree, work, units, slope = workload.levels[n]
        groups = range(0, size, degree)
        load = {first: sharded[first] + communication[first] for first in groups}
        volume = dict.fromkeys(groups, 0)
        for k, sequence in enumerate(members):
            if levels[k] != n:
                continue
            fitting = [first for first in groups if room[first] >= units[sequence]]
            if not fitting:
                return INFINITE, firsts, k
            first = min(fitting, key=lambda own: (load[own], own))
            load[first] += work[sequence] + slope * problem.lengths[sequence]
            volume[first] += problem.lengths[sequence]
            firsts[k] = first
            for rank in range(first, first + degree):
                room[rank] -= units[sequence]
                sharded[rank] += work[sequence]
        for first in groups:
            floor, intercept, per_token = problem.comm[degree]
            if volume[first] > 0:
                time = max(floor, intercept + per_token * volume[first])
                for rank in range(first, first + degree):
                    communication[rank] += time
    for k, sequence in enumerate(members):
        if levels[k] != 0:
            continue
        units = workload.levels[0].units[sequence]
        fitting = [rank for rank in range(size) if room[rank] >= units]
        if not fitting:
            return INFINITE, firsts, k
        rank = min(fitting, key=lambda own: (sharded[own] + local[own], own))
        local[rank] += workload.levels[0].work[sequence]
        room[rank] -= units
        firsts[k] = rank
    times = [max(c, own) + s for c, own, s in zip(communication, local, sharded, strict=True)]
    return max(times), firsts, -1


def random_workload(source: random.Random, most: int, degrees: str = "powers-of-two") -> Workload:
    """Of few sequences, some of which need several ranks."""
    count = source.randint(1, most)
    lengths = [source.choice([1, 1, 1, 3]) * source.randint(10, 1000) for _ in range(count)]
    # At times all are a fraction of a microsecond.
    scale = source.choice([1, 1, 1e-4])
    change = {
        "a1": scale,
        "a2": scale * source.choice([0.0, 0.002]),
        "comm": {d: tuple(scale * own for own in row) for d, row in PROBLEM.comm.items()},
        "bucket": source.choice([1000, 1500, 4000]),
    }
    return Workload(replace(PROBLEM, lengths=lengths, degrees=degrees, **change))


def test_members_are_placed_wide_groups_first_to_the_least_loaded():
    source = random.Random(6)
    failed = 0
    for _ in range(300):
        workload = random_workload(source, 8)
        levels = [source.randrange(3) for _ in workload.order]
        found = place(workload.order, levels, 0, workload)
        time, firsts, failed_at = naive_place(workload.order, levels, workload)
        assert (found.levels, found.failed_at) == (levels, failed_at)
        failed += failed_at >= 0
        assert found.time == (INFINITE if failed_at >= 0 else pytest.approx(time, rel=1e-12))
        if failed_at < 0:
            assert found.firsts == firsts
    assert 20 < failed < 280


def test_exchanges_between_ranks_only_help_and_give_the_time_that_is_said():
    source = random.Random(7)
    helped = 0
    for _ in range(200):
        lengths = [source.choice([200, 300, 500]) for _ in range(source.randint(5, 9))]
        sizes = {"context_parallel": 2, "bucket": source.choice([1400, 9000])}
        workload = Workload(replace(PROBLEM, lengths=lengths, **sizes))
        levels = [source.choice([0] * 9 + [1]) for _ in workload.order]
        plain, better = (place(workload.order, levels, rounds, workload) for rounds in (0, 8))
        assert better.time <= plain.time * (1 + 1e-12)
        helped += better.time < plain.time
        if better.failed_at < 0:
            cell = make_cell(workload.order, levels, better.firsts, workload)
            assert cell.time - 100 == pytest.approx(better.time, rel=1e-12)
    assert helped > 8


def test_one_rank_has_no_other_to_exchange_with():
    workload = Workload(
        replace(PROBLEM, context_parallel=1, degrees="local-or-all", lengths=[500, 400])
    )
    found = place([0, 1], [0, 0], 4, workload)
    assert (found.time, found.firsts) == (
        pytest.approx(500 + 500 + 400 + 320 + 0.032 * 900),
        [0, 0],
    )


def threshold_bound(k: int, members, workload: Workload) -> float:
    """What a cell with its k longest sharded over all ranks takes at least; infinite where there is no memory."""
    local, whole, size = workload.levels[0], workload.levels[-1], workload.size
    longest, others = members[:k], members[k:]
    held = sum(whole.units[s] for s in longest)
    first = local.units[others[0]] if others else 0
    spread = sum(local.units[s] for s in others) / size
    if held + max(first, spread) > workload.capacity:
        return INFINITE
    tokens = sum(workload.problem.lengths[s] for s in longest)
    floor, intercept, slope = workload.problem.comm[size]
    communication = max(floor, intercept + slope * tokens) if k > 0 else 0.0
    alone = local.work[others[0]] if others else 0.0
    even = sum(local.work[s] for s in others) / size
    return max(communication, alone, even) + sum(whole.work[s] for s in longest)


def naive_threshold(members, workload: Workload, rounds: int):
    """Four of the most promising, and all sharded where none of them has room."""
    bounds = {k: threshold_bound(k, members, workload) for k in range(len(members) + 1)}
    top, best = len(workload.levels) - 1, None
    for _ in range(4):
        k = min(bounds, key=lambda own: (bounds[own], own))
        if bounds[k] == INFINITE or (best is not None and bounds[k] >= best[0]):
            return best
        bounds[k] = INFINITE
        levels = [top] * k + [0] * (len(members) - k)
        time = place(members, levels, rounds, workload).time
        if time < (best[0] if best else INFINITE):
            best = (time, levels)
    if best is None and bounds[len(members)] < INFINITE:
        levels = [top] * len(members)
        time = place(members, levels, rounds, workload).time
        best = (time, levels) if time < INFINITE else None
    return best


def test_bounds_of_thresholds_hold_and_are_as_defined():
    source = random.Random(8)
    for _ in range(150):
        workload = random_workload(source, 6, "local-or-all")
        members = workload.order
        bounds = placing._threshold_bounds(members, workload)
        for k, bound in enumerate(bounds):
            assert bound == pytest.approx(threshold_bound(k, members, workload), rel=1e-9)
            levels = [1] * k + [0] * (len(members) - k)
            assert place(members, levels, 8, workload).time >= bound * (1 - 1e-9)


def test_bounds_spread_what_is_sharded_over_the_widest_groups():
    # Four ranks with groups of two: one of them has half of what is sharded.
    workload = Workload(replace(PROBLEM, comm={2: (1.0, 1.0, 0.1)}, lengths=[500, 400]))
    bounds = placing._threshold_bounds([0, 1], workload)
    whole = [work_of(length, 1, workload.problem) for length in (500, 400)]
    shared = [work_of(length, 2, workload.problem) for length in (500, 400)]
    assert bounds == pytest.approx(
        [whole[0], whole[1] + shared[0] / 2, 1 + 0.1 * 450 + (shared[0] + shared[1]) / 2]
    )
    alone = Workload(replace(PROBLEM, context_parallel=1, lengths=[500], degrees="local-or-all"))
    assert placing._threshold_bounds([0], alone) == [pytest.approx(1016), INFINITE]
    assert placing._threshold_bounds([], workload)[0] == 0


def test_the_best_threshold_is_among_the_most_promising():
    source = random.Random(9)
    for _ in range(150):
        workload = random_workload(source, 12, source.choice(["local-or-all", "powers-of-two"]))
        found = best_threshold(workload.order, workload, 8)
        expected = naive_threshold(workload.order, workload, 8)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert (found.time, found.levels) == expected


def times_alone(sequence: int, workload: Workload) -> list[tuple[float, int]]:
    """At every level that fits: what it takes alone, us, and the level."""
    options = []
    for n, (degree, work, units, _) in enumerate(workload.levels):
        if units[sequence] > workload.capacity:
            continue
        own = work[sequence]
        if degree > 1:
            floor, intercept, slope = workload.problem.comm[degree]
            own += max(floor, intercept + slope * workload.problem.lengths[sequence])
        options.append((own, n))
    return options


def naive_target(members, workload: Workload, rounds: int) -> float:
    """The best of six times aimed at: smallest degrees under it, widened where there is no room."""
    even = sum(workload.levels[0].work[s] for s in members) / workload.size
    alone = [own for s in members[:2] for own, _ in times_alone(s, workload)]
    aims = [even, 0.7 * even, 0.5 * even, 1.4 * even]
    aims += [own * (1 + 1e-12) for own in alone if own > 0.6 * even]
    tried: dict[tuple[int, ...], float] = {}
    for aim in aims:
        levels, longest, work = [], 0.0, 0.0
        for s in members:
            options = times_alone(s, workload)
            under = [(own, n) for own, n in options if own <= aim]
            own, n = under[0] if under else min(options, default=(INFINITE, 0))
            levels.append(n)
            work += workload.levels[n].degree * workload.levels[n].work[s]
            longest = max(longest, own)
        tried.setdefault(tuple(levels), max(work / workload.size, longest))
    best = INFINITE
    for levels, bound in sorted(tried.items(), key=lambda own: own[1])[:6]:
        if bound >= best:
            break
        best = min(best, widened(members, list(levels), workload, rounds))
    return best


def widened(members, levels: list[int], workload: Workload, rounds: int) -> float:
    """Time at these levels, or at wider ones where there is no room."""
    for attempt in itertools.count():
        found = place(members, levels, rounds, workload)
        if found.time < INFINITE or levels[found.failed_at] + 1 == len(workload.levels):
            return found.time
        narrow = levels[found.failed_at]
        levels[found.failed_at] += 1
        if attempt >= 16:
            levels = [narrow + 1 if n == narrow else n for n in levels]
    raise AssertionError


def test_the_best_target_is_that_of_the_most_promising():
    source = random.Random(10)
    found_any = 0
    for n in range(150):
        workload = random_workload(source, 40 if n % 5 == 0 else 10)
        if any(not times_alone(s, workload) for s in workload.order):
            continue
        found = best_target(workload.order, workload, 8)
        expected = naive_target(workload.order, workload, 8)
        assert (found.time if found else INFINITE) == expected
        found_any += expected < INFINITE
        assert best_target(workload.order, workload, 8, expected) is None
    assert found_any > 40


def test_many_that_fit_only_wider_are_widened_one_by_one_and_then_together():
    # Each rank holds one of 600 whole; 24 of them must be shared by all, after sixteen that are widened alone.
    lengths = [600] * 6 + [50] * 30
    workload = Workload(replace(PROBLEM, lengths=lengths, bucket=1300))
    found = best_target(workload.order, workload, 8)
    assert found is not None
    assert found.time == naive_target(workload.order, workload, 8)


def test_a_cell_is_the_better_of_both_and_threshold_alone_where_there_are_two_degrees():
    source = random.Random(11)
    targets = 0
    for _ in range(80):
        workload = random_workload(source, 10)
        cell = solve_cell(workload.order, workload)
        rounds = 2 * workload.size
        threshold = naive_threshold(workload.order, workload, rounds)
        if any(not times_alone(s, workload) for s in workload.order):
            continue
        target = naive_target(workload.order, workload, rounds)
        best = min(threshold[0] if threshold else INFINITE, target)
        assert (cell is None) == (best == INFINITE)
        if cell is not None:
            assert cell.time == pytest.approx(best + 100, rel=1e-12)
            targets += threshold is None or target < threshold[0]
        narrow = Workload(replace(workload.problem, degrees="local-or-all"))
        own = solve_cell(narrow.order, narrow)
        threshold = naive_threshold(narrow.order, narrow, rounds)
        assert (own is None) == (threshold is None)
        if own is not None and threshold is not None:
            assert own.time == pytest.approx(threshold[0] + 100, rel=1e-12)
    assert targets > 5
