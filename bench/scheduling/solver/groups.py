"""Groups of a micro-batch that share no rank, and what FlexSP's planner does before and after its program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from .costs import Costs


@dataclass(frozen=True)
class Bucket:
    """Sequences that count as long as the longest of them."""

    length: int
    sequences: list[int]


@dataclass
class Group:
    """Ranks that share sequences."""

    degree: int
    sequences: list[int]


def equal_runs(order: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """Cuts sequences, longest first, into ``count`` runs, the fullest of which holds as few tokens as possible."""
    low, high = max(lengths[k] for k in order), sum(lengths[k] for k in order)
    while low < high:
        middle = (low + high) // 2
        if len(_filled(order, lengths, middle)) <= count:
            high = middle
        else:
            low = middle + 1
    runs = _filled(order, lengths, low)
    while len(runs) < count:  # as many as were asked for: the one of most sequences in two
        at = max(range(len(runs)), key=lambda n: len(runs[n]))
        half = len(runs[at]) // 2
        runs[at : at + 1] = [runs[at][:half], runs[at][half:]]
    return runs


def _filled(order: Sequence[int], lengths: Sequence[int], most: int) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    tokens = 0
    for k in order:
        if tokens + lengths[k] > most:
            runs.append([])
            tokens = 0
        runs[-1].append(k)
        tokens += lengths[k]
    return runs


def bucketed(run: Sequence[int], lengths: Sequence[int], count: int) -> list[Bucket]:
    """Runs of sequences, longest first, in ``count`` buckets that add the fewest tokens when all are as long as the
    longest of their bucket (dynamic programming, as in the paper)."""
    total = len(run)
    count = min(count, total)
    upto = [0]
    for k in run:
        upto.append(upto[-1] + lengths[k])
    added = [[inf] * (count + 1) for _ in range(total + 1)]
    cut = [[0] * (count + 1) for _ in range(total + 1)]
    added[0][0] = 0
    for end in range(1, total + 1):
        for buckets in range(1, min(count, end) + 1):
            for begin in range(buckets - 1, end):
                extra = lengths[run[begin]] * (end - begin) - (upto[end] - upto[begin])
                if added[begin][buckets - 1] + extra < added[end][buckets]:
                    added[end][buckets] = added[begin][buckets - 1] + extra
                    cut[end][buckets] = begin
    found: list[Bucket] = []
    end = total
    for buckets in range(count, 0, -1):
        begin = cut[end][buckets]
        found.append(Bucket(lengths[run[begin]], list(run[begin:end])))
        end = begin
    return found[::-1]


def time_of(group: Group, lengths: Sequence[int], costs: Costs) -> float:
    if not group.sequences:
        return 0.0
    floor, intercept, slope = costs.communication(group.degree)
    tokens = sum(lengths[k] for k in group.sequences)
    return max(floor, intercept + slope * tokens) + sum(
        costs.work(lengths[k], group.degree) for k in group.sequences
    )


def slowest(groups: Sequence[Group], costs: Costs) -> float:
    """us of a micro-batch without its fixed cost."""
    return max(costs.least, max(time_of(group, costs.lengths, costs) for group in groups))


def best_start(run: Sequence[int], costs: Costs) -> list[Group] | None:
    """The better of groups of one size each, and of groups as small as a guessed time allows."""
    found = [
        groups
        for degree in costs.degrees()
        if (groups := _one_size(run, degree, costs)) is not None
    ]
    longest = max(min(costs.alone(costs.lengths[k], d) for d in costs.degrees()) for k in run)
    even = sum(costs.work(costs.lengths[k], 1) for k in run) / costs.ranks
    for guess in (longest, even):
        tried = (_under(run, guess * percent / 100, costs) for percent in range(100, 400, 4))
        first = next((groups for groups in tried if groups is not None), None)
        if first is not None:
            found.append(first)
    return min(found, key=lambda groups: slowest(groups, costs)) if found else None


def _one_size(run: Sequence[int], degree: int, costs: Costs) -> list[Group] | None:
    groups = [Group(degree, []) for _ in range(costs.ranks // degree)]
    load = [0.0] * len(groups)
    room = [costs.bucket] * len(groups)
    for k in run:
        need = costs.memory(costs.lengths[k], degree)
        fitting = [at for at in range(len(groups)) if need <= room[at]]
        if not fitting:
            return None
        at = min(fitting, key=lambda at: (load[at], at))
        load[at] += costs.work(costs.lengths[k], degree)
        room[at] -= need
        groups[at].sequences.append(k)
    return [group for group in groups if group.sequences]


def _under(run: Sequence[int], most: float, costs: Costs) -> list[Group] | None:
    """Longest first, to the group that then has the least time left; else to a new one as small as possible."""
    groups: list[Group] = []
    tallies: list[_Tally] = []
    idle = costs.ranks
    for k in run:
        length = costs.lengths[k]
        times = [(-tally.with_one(length), at) for at, tally in enumerate(tallies)]
        best = min((one for one in times if -one[0] <= most), default=None)
        if best is None:
            degree = next(
                (
                    degree
                    for degree in costs.degrees()
                    if degree <= idle
                    and costs.fits(length, degree)
                    and costs.alone(length, degree) <= most
                ),
                None,
            )
            if degree is None:
                return None
            groups.append(Group(degree, []))
            tallies.append(_Tally(degree, costs))
            idle -= degree
            best = (0.0, len(groups) - 1)
        groups[best[1]].sequences.append(k)
        tallies[best[1]].add(length)
    return groups


@dataclass
class _Tally:
    """What a group holds."""

    degree: int
    costs: Costs
    tokens: int = 0
    work: float = 0.0
    memory: float = 0.0

    def with_one(self, length: int) -> float:
        """us with one more sequence; infinite where it does not fit."""
        if self.memory + self.costs.memory(length, self.degree) > self.costs.bucket:
            return inf
        floor, intercept, slope = self.costs.communication(self.degree)
        communication = max(floor, intercept + slope * (self.tokens + length))
        return communication + self.work + self.costs.work(length, self.degree)

    def add(self, length: int) -> None:
        self.tokens += length
        self.work += self.costs.work(length, self.degree)
        self.memory += self.costs.memory(length, self.degree)


def placements(groups: Sequence[Group]) -> list[dict]:
    """Groups side by side, the widest first, which aligns them."""
    first, found = 0, []
    for group in sorted(groups, key=lambda group: -group.degree):
        found.extend(
            {"sequence": k, "first_rank": first, "degree": group.degree} for k in group.sequences
        )
        first += group.degree
    return sorted(found, key=lambda placement: placement["sequence"])
