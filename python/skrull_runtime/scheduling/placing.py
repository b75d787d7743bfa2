"""Where the sequences of one cell go (src/schedule/cell/): degrees by threshold or target, groups by least load."""

from __future__ import annotations

import heapq
from bisect import insort
from typing import NamedTuple

from ..contract.limits import (
    LONGEST_AIMED_AT,
    MOST_AIMS,
    MOST_TRIES,
    ROUNDS_PER_RANK,
    SINGLE_WIDENINGS,
    TARGETS,
)
from .cells import Cell, Workload, make_cell
from .cost import communication_of

INFINITE = float("inf")
LEAST_SHARE = 0.6  # of an even spread, below which a time alone is no aim
JUST_ABOVE = 1 + 1e-12  # an aim just above a time: the degree that takes so long is then taken


def put_least_loaded(
    work: list[float],
    units: list[float],
    load: list[float],
    room: list[float],
    whole: float | None = None,
) -> tuple[list[int], int]:
    """Each item to the least loaded bin, the earliest of equals, that has room (``BinQueue`` of bin-queue.ts). Changes load
    and room. ``whole``: the room of bins that are added where none has any.

    Returns the bin of every item, and the position of the first that found no room, or -1.
    """
    ready = [(own, b) for b, own in enumerate(load)]
    heapq.heapify(ready)
    waiting: list[tuple[float, int]] = []  # bins that had no room, the most room first
    bins: list[int] = []
    for own, need in zip(work, units, strict=True):
        while waiting and -waiting[0][0] >= need:
            b = heapq.heappop(waiting)[1]
            heapq.heappush(ready, (load[b], b))
        while ready and room[ready[0][1]] < need:
            b = heapq.heappop(ready)[1]
            heapq.heappush(waiting, (-room[b], b))
        if not ready:
            if whole is None:
                return bins, len(bins)
            ready.append((0.0, len(load)))
            load.append(0.0)
            room.append(whole)
        chosen = ready[0][1]
        load[chosen] += own
        room[chosen] -= need
        heapq.heapreplace(ready, (load[chosen], chosen))
        bins.append(chosen)
    return bins, -1


def improve_by_swaps(
    members: list[list[int]],
    work: list[float],
    units: list[float],
    load: list[float],
    room: list[float],
    floor: list[float],
    rounds: int,
) -> None:
    """As long as it helps, gives an item of the heaviest bin to the lightest, for one in return or for none, choosing
    the pair whose difference is nearest to half of theirs. A bin takes its load, but never less than its floor.
    Changes members (items of each bin, longest first), load and room."""
    for _ in range(rounds):
        heavy, longest = -1, 0.0
        for b, (own, least) in enumerate(zip(load, floor, strict=True)):
            if own > longest or least > longest:
                longest = max(own, least)
                heavy = b if own > least else -1
        light = load.index(min(load))
        if heavy < 0 or heavy == light:
            return
        exchange = _best_exchange(
            members[heavy], members[light], work, units, load[heavy] - load[light], room[light]
        )
        if exchange is None:
            return
        for item, source, target in ((exchange[0], heavy, light), (exchange[1], light, heavy)):
            if item >= 0:
                members[source].remove(item)
                insort(members[target], item)
                load[source] += -work[item]
                room[source] -= -units[item]
                load[target] += work[item]
                room[target] -= units[item]


def _best_exchange(
    heavy: list[int],
    light: list[int],
    work: list[float],
    units: list[float],
    gap: float,
    free: float,
) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    nearest = INFINITE
    half = gap / 2
    at, last = 0, len(light)
    for given in heavy:
        own, need = work[given], units[given]
        wanted = own - half
        # Offers come longest first: step to the first that is no larger than wanted, and look at both sides of it.
        while at < last and work[light[at]] > wanted:
            at += 1
        for taken in (light[at] if at < last else -1, light[at - 1] if at > 0 else -2):
            if taken == -2:
                continue
            difference = own - (0 if taken < 0 else work[taken])
            if not 0 < difference < gap:
                continue
            distance = abs(difference - half)
            if need - (0 if taken < 0 else units[taken]) > free or distance >= nearest:
                continue
            nearest = distance
            best = (given, taken)
    return best


class Placed(NamedTuple):
    """Time of a cell without its fixed cost, us, infinite where the member at ``failed_at`` found no room."""

    time: float
    levels: list[int]
    firsts: list[int]
    failed_at: int


def place(members: list[int], levels: list[int], rounds: int, workload: Workload) -> Placed:
    """Places members, longest first, at given degrees: wide groups first. Going down the degrees, the ranks of a group
    are alike until it is split, so the state is one number per group."""
    firsts = [0] * len(members)
    room: list[float] = [workload.capacity]
    sharded, communication = [0.0], [0.0]
    for n in range(len(workload.levels) - 1, 0, -1):
        here = [k for k, level in enumerate(levels) if level == n]
        if not here:
            continue
        degree, work, units, slope = workload.levels[n]
        lengths = workload.problem.lengths
        groups = workload.size // degree
        room, sharded, communication = (
            _split(values, groups) for values in (room, sharded, communication)
        )
        own = [members[k] for k in here]
        load = [s + c for s, c in zip(sharded, communication, strict=True)]
        needs = [units[s] for s in own]
        weights = [work[s] + slope * lengths[s] for s in own]
        bins, failed = put_least_loaded(weights, needs, load, room)
        if failed >= 0:
            return Placed(INFINITE, levels, firsts, here[failed])
        tokens = [0] * groups
        for k, sequence, group in zip(here, own, bins, strict=True):
            sharded[group] += work[sequence]
            tokens[group] += lengths[sequence]
            firsts[k] = group * degree
        for group, volume in enumerate(tokens):
            communication[group] += communication_of(volume, degree, workload.problem)
    room, sharded, communication = (
        _split(values, workload.size) for values in (room, sharded, communication)
    )
    return _place_local(members, levels, firsts, room, sharded, communication, rounds, workload)


def _split(values: list[float], parts: int) -> list[float]:
    """Every group in equal parts, ``parts`` in all."""
    each = parts // len(values)
    return [value for value in values for _ in range(each)] if each > 1 else values


def _place_local(
    members: list[int],
    levels: list[int],
    firsts: list[int],
    room: list[float],
    sharded: list[float],
    communication: list[float],
    rounds: int,
    workload: Workload,
) -> Placed:
    level = workload.levels[0]
    here = [k for k, n in enumerate(levels) if n == 0]
    work = [level.work[members[k]] for k in here]
    units = [level.units[members[k]] for k in here]
    load = sharded[:]
    floor = [c + s for c, s in zip(communication, sharded, strict=True)]
    bins, failed = put_least_loaded(work, units, load, room)
    if failed >= 0:
        return Placed(INFINITE, levels, firsts, here[failed])
    if rounds > 0 and workload.size > 1:
        of_rank: list[list[int]] = [[] for _ in load]
        for item, rank in enumerate(bins):
            of_rank[rank].append(item)
        improve_by_swaps(of_rank, work, units, load, room, floor, rounds)
        for rank, items in enumerate(of_rank):
            for item in items:
                firsts[here[item]] = rank
    else:
        for k, rank in zip(here, bins, strict=True):
            firsts[k] = rank
    return Placed(max(max(floor), max(load)), levels, firsts, -1)


def best_threshold(members: list[int], workload: Workload, rounds: int) -> Placed | None:
    """The k longest are sharded over the widest groups, the others stay whole; the k of most promising bound are placed,
    until a bound says that no other can win."""
    bounds = _threshold_bounds(members, workload)
    top, count = len(workload.levels) - 1, len(members)
    best: Placed | None = None
    for trial in range(MOST_TRIES + 1):
        last = best is None and trial == MOST_TRIES
        k = count if last else bounds.index(min(bounds))
        if bounds[k] == INFINITE or (best is not None and bounds[k] >= best.time):
            break
        if not last and trial == MOST_TRIES:
            break
        bounds[k] = INFINITE
        found = place(members, [top] * k + [0] * (count - k), rounds, workload)
        if found.time < (best.time if best else INFINITE):
            best = found
    return best


def _threshold_bounds(members: list[int], workload: Workload) -> list[float]:
    """For every k, about what the cell takes at least with its k longest sharded, spread evenly over its widest groups,
    us; infinite where memory forbids it."""
    size, capacity, problem = workload.size, workload.capacity, workload.problem
    local, widest = workload.levels[0], workload.levels[-1]
    groups = size / widest.degree
    count = len(members)
    bounds = [INFINITE] * (count + 1)
    local_work, local_units = 0.0, 0.0
    for sequence in members:
        local_work += local.work[sequence]
        local_units += local.units[sequence]
    work, units, tokens = 0.0, 0.0, 0.0
    for k, longest in enumerate(members):
        own, own_units = local.work[longest], local.units[longest]
        if units + own_units <= capacity and units + local_units / size <= capacity:
            communication = communication_of(tokens, widest.degree, problem)
            bounds[k] = max(communication, own, local_work / size) + work
        if widest.degree == 1:
            return bounds
        work += widest.work[longest] / groups
        units += widest.units[longest] / groups
        tokens += problem.lengths[longest] / groups
        local_work -= own
        local_units -= own_units
    if units <= capacity:
        bounds[count] = max(communication_of(tokens, widest.degree, problem), 0) + work
    return bounds


def best_target(
    members: list[int], workload: Workload, rounds: int, limit: float = INFINITE
) -> Placed | None:
    """For each of some times, every sequence gets the smallest degree at which it alone stays under it, or a larger one
    where it finds no room. The most promising first, until a bound says that no other can win. ``limit``: us; only what
    is faster counts."""
    best: Placed | None = None
    for levels, bound in _aimed_at(members, workload):
        if bound >= limit:
            break
        found = _place_or_widen(members, levels, workload, rounds)
        if found.time < limit:
            best, limit = found, found.time
    return best


def _aimed_at(members: list[int], workload: Workload) -> list[tuple[list[int], float]]:
    """Degrees of the members by every time aimed at, no two alike, with what no placement at them can beat, us."""
    found: list[tuple[list[int], float]] = []
    for time in _times_aimed_at(members, workload):
        own = _degrees_under(time, members, workload)
        if own not in found:
            found.append(own)
    return sorted(found, key=lambda own: own[1])[:MOST_AIMS]


def _times_aimed_at(members: list[int], workload: Workload) -> list[float]:
    work = 0.0
    for sequence in members:
        work += workload.levels[0].work[sequence]
    even = work / workload.size
    times = [multiple * even for multiple in TARGETS]
    for sequence in members[:LONGEST_AIMED_AT]:
        for degree, cost, units, _ in workload.levels:
            if units[sequence] > workload.capacity:
                continue
            length = workload.problem.lengths[sequence]
            alone = cost[sequence] + communication_of(length, degree, workload.problem)
            if alone > LEAST_SHARE * even:
                times.append(alone * JUST_ABOVE)
    return times


def _degrees_under(
    target: float, members: list[int], workload: Workload
) -> tuple[list[int], float]:
    """The smallest degree of every member at which it alone takes at most ``target`` us."""
    levels = []
    total = longest = 0.0
    for sequence in members:
        n, alone = _smallest_under(target, sequence, workload)
        degree, work, _, _ = workload.levels[n]
        levels.append(n)
        total += degree * work[sequence]
        longest = max(longest, alone)
    return levels, max(total / workload.size, longest)


def _smallest_under(target: float, sequence: int, workload: Workload) -> tuple[int, float]:
    """The smallest level at which a sequence that fits takes at most ``target`` us alone, else the fastest; and what it
    takes there."""
    length = workload.problem.lengths[sequence]
    fastest, least = 0, INFINITE
    for n, (degree, work, units, _) in enumerate(workload.levels):
        if units[sequence] > workload.capacity:
            continue
        time = work[sequence] + communication_of(length, degree, workload.problem)
        if time <= target:
            return n, time
        if time < least:
            fastest, least = n, time
    return fastest, least


def _place_or_widen(
    members: list[int], levels: list[int], workload: Workload, rounds: int
) -> Placed:
    attempt = 0
    while True:
        found = place(members, levels, rounds, workload)
        if found.time < INFINITE:
            return found
        narrow = levels[found.failed_at]
        if narrow + 1 >= len(workload.levels):
            return found
        levels[found.failed_at] = narrow + 1
        if attempt >= SINGLE_WIDENINGS:
            levels = [narrow + 1 if level == narrow else level for level in levels]
        attempt += 1


def solve_cell(members: list[int], workload: Workload) -> Cell | None:
    """The cell of members, longest first; None where they do not fit together, or no way was found."""
    rounds = ROUNDS_PER_RANK * workload.size
    best = best_threshold(members, workload, rounds)
    if len(workload.levels) > 2:  # with two degrees, thresholds are all there is to aim at
        limit = best.time if best else INFINITE
        best = best_target(members, workload, rounds, limit) or best
    return best and make_cell(members, best.levels, best.firsts, workload)
