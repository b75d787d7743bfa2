"""FlexSP's planner, of our own reading (arXiv:2412.01523, ASPLOS '25; PKU-DAIR/Hetu-Galvatron), under the contract's cost.

A global batch in order of length is cut into M runs of nearly equal tokens, the micro-batches. In each, sequences go
to groups of power-of-two sizes that share no rank: a mixed-integer program over buckets of nearly equal lengths, which
minimises the time of the slowest group. Several M from the fewest that memory allows are tried. What differs: the
time of a group is the contract's; HiGHS solves instead of SCIP, each program for the stated time; the start that it is
given is the better of one group size for all, as there, and a greedy placement under a guessed time. Where a bucket's
sequences go to several groups, its longest goes to the least loaded one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from .costs import Costs
from .program import Program

BUCKETS = 16
MORE_MICRO_BATCHES = 3


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


@dataclass(frozen=True)
class Plan:
    """Groups of one micro-batch, and whether no better ones exist in buckets."""

    groups: list[Group]
    proven: bool
    seconds: float


def plan_batch(costs: Costs, seconds: float) -> dict:
    """The schedule of a problem of class ``pool`` as micro-batches, with how long it was solved and how much is proven.

    Raises ValueError where a sequence fits no group.
    """
    order = sorted(range(len(costs.lengths)), key=lambda k: (-costs.lengths[k], k))
    fewest = max(1, ceil(sum(costs.lengths) / (costs.bucket * costs.ranks)))
    best: tuple[float, list[Plan]] | None = None
    spent, tried, count = 0.0, 0, fewest
    while tried < MORE_MICRO_BATCHES and count <= len(order):
        plans = [
            plan_micro_batch(run, costs, seconds) for run in equal_runs(order, costs.lengths, count)
        ]
        count += 1
        spent += sum(plan.seconds for plan in plans if plan is not None)
        found = [plan for plan in plans if plan is not None]
        if len(found) < len(plans):
            continue
        tried += 1
        total = sum(slowest(plan.groups, costs) + costs.fixed for plan in found)
        if best is None or total < best[0]:
            best = (total, found)
    if best is None:
        raise ValueError("no number of micro-batches has a plan")
    return {
        "micro_batches": [
            {"index": index, "placements": placements(plan.groups)}
            for index, plan in enumerate(best[1])
        ],
        "proven": sum(plan.proven for plan in best[1]),
        "seconds": spent,
    }


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


def plan_micro_batch(run: Sequence[int], costs: Costs, seconds: float) -> Plan | None:
    """Groups for one micro-batch; ``None`` where its sequences do not fit together."""
    buckets = bucketed(run, costs.lengths, BUCKETS)
    start = best_start(run, costs)
    model = _Model(buckets, costs)
    rounded_up = [
        Group(group.degree, [_bucket_of(k, buckets) for k in group.sequences])
        for group in start or []
    ]
    outcome = model.program.solve(
        seconds, model.start(rounded_up) if start and model.holds(rounded_up) else None, gap=1e-4
    )
    if outcome is None:
        return None if start is None else Plan(start, proven=False, seconds=seconds)
    found = model.groups(outcome.values)
    if start is not None and slowest(start, costs) < slowest(found, costs):
        found = start
    return Plan(found, outcome.gap() <= 1e-4, outcome.seconds)


def _bucket_of(sequence: int, buckets: Sequence[Bucket]) -> int:
    return next(n for n, bucket in enumerate(buckets) if sequence in bucket.sequences)


class _Model:
    """The paper's program: how many sequences of every bucket each possible group gets."""

    def __init__(self, buckets: Sequence[Bucket], costs: Costs):
        self.buckets, self.costs = buckets, costs
        self.degrees = [
            degree
            for degree in reversed(costs.degrees())
            for _ in range(min(costs.ranks // degree, sum(len(b.sequences) for b in buckets)))
        ]
        self.program = Program()
        self.time = self.program.variable(cost=1.0)
        self.used = [self.program.binary() for _ in self.degrees]
        self.counts = [
            [
                self.program.variable(
                    upper=len(bucket.sequences) if costs.fits(bucket.length, degree) else 0,
                    whole=True,
                )
                for bucket in buckets
            ]
            for degree in self.degrees
        ]
        self._rows()

    def _rows(self) -> None:
        program, costs = self.program, self.costs
        for n, bucket in enumerate(self.buckets):
            everywhere = [(own[n], 1.0) for own in self.counts]
            size = float(len(bucket.sequences))
            program.row(everywhere, least=size, most=size)
        program.row(
            [(used, degree) for used, degree in zip(self.used, self.degrees, strict=True)],
            most=costs.ranks,
        )
        for group, degree in enumerate(self.degrees):
            used, counts = self.used[group], self.counts[group]
            lengths = [bucket.length for bucket in self.buckets]
            memory = [costs.memory(length, degree) for length in lengths]
            program.row([*zip(counts, memory, strict=True), (used, -costs.bucket)], most=0.0)
            floor, intercept, slope = costs.communication(degree)
            for constant, factor in [(floor, 0.0), (intercept, slope)][: 2 if degree > 1 else 1]:
                own = [costs.work(length, degree) + factor * length for length in lengths]
                program.row(
                    [*zip(counts, own, strict=True), (used, constant), (self.time, -1)], most=0.0
                )
            if group > 0 and self.degrees[group - 1] == degree:  # equals are used in order
                program.row([(self.used[group - 1], 1.0), (used, -1.0)], least=0.0)

    def start(self, groups: Sequence[Group]) -> list[float]:
        """The values of groups whose sequences are numbers of buckets."""
        values = [0.0] * len(self.program.cost)
        free = {degree: self.degrees.index(degree) for degree in set(self.degrees)}
        for group in groups:
            at = free[group.degree]
            free[group.degree] += 1
            values[self.used[at]] = 1.0
            for bucket in group.sequences:
                values[self.counts[at][bucket]] += 1.0
        lengths = [bucket.length for bucket in self.buckets]
        values[self.time] = max(_time(group, lengths, self.costs) for group in groups)
        return values

    def holds(self, groups: Sequence[Group]) -> bool:
        """Whether groups fit although every sequence counts as long as the longest of its bucket."""
        lengths = [bucket.length for bucket in self.buckets]
        return all(
            sum(self.costs.memory(lengths[n], group.degree) for n in group.sequences)
            <= self.costs.bucket
            for group in groups
        )

    def groups(self, values: Sequence[float]) -> list[Group]:
        """The groups of a solution, with sequences in place of counts."""
        costs = self.costs
        groups = [Group(degree, []) for degree in self.degrees]
        left = [[round(values[column]) for column in own] for own in self.counts]
        for n, bucket in enumerate(self.buckets):
            for k in bucket.sequences:
                open_ones = [at for at in range(len(groups)) if left[at][n] > 0]
                at = min(open_ones, key=lambda at: (_time(groups[at], costs.lengths, costs), at))
                left[at][n] -= 1
                groups[at].sequences.append(k)
        return [group for group in groups if group.sequences]


def _time(group: Group, lengths: Sequence[int], costs: Costs) -> float:
    if not group.sequences:
        return 0.0
    floor, intercept, slope = costs.communication(group.degree)
    tokens = sum(lengths[k] for k in group.sequences)
    return max(floor, intercept + slope * tokens) + sum(
        costs.work(lengths[k], group.degree) for k in group.sequences
    )


def slowest(groups: Sequence[Group], costs: Costs) -> float:
    """us of a micro-batch without its fixed cost."""
    return max(costs.least, max(_time(group, costs.lengths, costs) for group in groups))


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
