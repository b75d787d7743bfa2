"""The best schedule of a small problem, as a mixed-integer program straight from the contract's words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from .costs import Costs
from .program import Program


@dataclass(frozen=True)
class _Slot:
    """A group of ranks in a micro-batch."""

    index: int
    degree: int
    first: int

    def holds(self, rank: int) -> bool:
        return self.first <= rank < self.first + self.degree


def solve_schedule(costs: Costs, seconds: float) -> dict:
    """The least time of a problem, with the micro-batches that have it and a bound where it is not proven; us.

    ``problem["micro_batches"]`` is how many there may be at most, and ``problem["known"]``, where it is there, a
    schedule to start from. Raises ValueError where there is no schedule.
    """
    model = _Schedule(costs, costs.problem["micro_batches"])
    known = costs.problem.get("known")
    outcome = model.program.solve(seconds, model.start(known) if known else None)
    if outcome is None:
        raise ValueError("no schedule was found in the time")
    return {
        "micro_batches": model.micro_batches(outcome.values),
        "time": outcome.objective,
        "bound": outcome.bound,
        "seconds": outcome.seconds,
    }


class _Schedule:
    def __init__(self, costs: Costs, count: int):
        self.costs, self.count = costs, count
        self.program = Program()
        pool = costs.problem["degrees"] == "pool"
        lockstep = pool or costs.problem["objective"] == "lockstep"
        #: Ranks that wait for each other after every micro-batch.
        self.row_size = costs.ranks if lockstep else costs.problem["context_parallel"]
        self.rows = costs.ranks // self.row_size
        self.slots = [
            _Slot(index, degree, first)
            for index in range(count)
            for degree in costs.degrees()
            for first in range(0, costs.ranks, degree)
        ]
        self.total = self.program.variable(cost=1.0)
        self.time = [[self.program.variable() for _ in range(count)] for _ in range(self.rows)]
        self.used = [[self.program.binary() for _ in range(count)] for _ in range(self.rows)]
        self.x = [
            [
                self.program.variable(
                    upper=1.0 if costs.fits(length, slot.degree) else 0.0, whole=True
                )
                for slot in self.slots
            ]
            for length in costs.lengths
        ]
        self.open = [self.program.binary() for _ in self.slots]
        self.communication = [self.program.variable() for _ in self.slots]
        self._rows()

    def _rows(self) -> None:
        program, costs = self.program, self.costs
        for own in self.x:
            program.row([(column, 1.0) for column in own], least=1.0, most=1.0)
        for row in range(self.rows):
            fixed = [(used, -costs.fixed) for used in self.used[row]]
            times = [(time, -1.0) for time in self.time[row]]
            program.row([(self.total, 1.0), *times, *fixed], least=0.0)
            for time, used in zip(self.time[row], self.used[row], strict=True):
                program.row([(time, 1.0), (used, -costs.least)], least=0.0)
        for at, slot in enumerate(self.slots):
            self._slot_rows(at, slot)
        for index in range(self.count):
            for rank in range(costs.ranks):
                self._rank_rows(index, rank)
        self._break_symmetry()

    def _slot_rows(self, at: int, slot: _Slot) -> None:
        program, costs = self.program, self.costs
        used = self.used[slot.first // self.row_size][slot.index]
        for own in self.x:
            program.row([(own[at], 1.0), (used, -1.0)], most=0.0)
        if slot.degree == 1:
            return
        floor, intercept, slope = costs.communication(slot.degree)
        wait = self.communication[at]
        for own in self.x:
            program.row([(own[at], 1.0), (self.open[at], -1.0)], most=0.0)
        program.row([(wait, 1.0), (self.open[at], -floor)], least=0.0)
        tokens = [
            (own[at], -slope * length) for own, length in zip(self.x, costs.lengths, strict=True)
        ]
        program.row([(wait, 1.0), (self.open[at], -intercept), *tokens], least=0.0)

    def _rank_rows(self, index: int, rank: int) -> None:
        program, costs = self.program, self.costs
        time = self.time[rank // self.row_size][index]
        here = [
            (at, slot)
            for at, slot in enumerate(self.slots)
            if slot.index == index and slot.holds(rank)
        ]
        shared = [(at, slot) for at, slot in here if slot.degree > 1]
        program.row([(time, 1.0), *self._work(here)], least=0.0)
        waits = [(self.communication[at], -1.0) for at, _ in shared]
        program.row([(time, 1.0), *self._work(shared), *waits], least=0.0)
        memory = [
            (own[at], costs.memory(length, slot.degree))
            for at, slot in here
            for own, length in zip(self.x, costs.lengths, strict=True)
        ]
        program.row(memory, most=costs.bucket)

    def _work(self, slots: list[tuple[int, _Slot]]) -> list[tuple[int, float]]:
        return [
            (own[at], -self.costs.work(length, slot.degree))
            for at, slot in slots
            for own, length in zip(self.x, self.costs.lengths, strict=True)
        ]

    def _break_symmetry(self) -> None:
        """Micro-batches of a row are in order of time."""
        for times in self.time:
            for one, other in pairwise(times):
                self.program.row([(one, 1.0), (other, -1.0)], least=0.0)

    def start(self, known: list[dict]) -> list[float]:
        """The values of a schedule; times are left to the solver where rows must be in order."""
        values = [0.0] * len(self.program.cost)
        groups = {(slot.index, slot.degree, slot.first): at for at, slot in enumerate(self.slots)}
        ordered = self._in_order(known)
        for index, placed in enumerate(ordered):
            for placement in placed:
                at = groups[index, placement["degree"], placement["first_rank"]]
                values[self.x[placement["sequence"]][at]] = 1.0
                values[self.open[at]] = 1.0
                values[self.used[placement["first_rank"] // self.row_size][index]] = 1.0
        self._time_values(values)
        return values

    def _in_order(self, known: list[dict]) -> list[list[dict]]:
        """Placements by micro-batch, every row's longest first."""
        parts: list[list[dict]] = [[] for _ in range(self.count)]
        for row in range(self.rows):
            own = [
                [p for p in one["placements"] if p["first_rank"] // self.row_size == row]
                for one in known
            ]
            own.sort(key=lambda placed: -max(self._rank_times(placed), default=0.0))
            for index, placed in enumerate(own[: self.count]):
                parts[index].extend(placed)
        return parts

    def _rank_times(self, placed: list[dict]) -> list[float]:
        costs, lengths = self.costs, self.costs.lengths
        found = []
        for rank in {p["first_rank"] + n for p in placed for n in range(p["degree"])}:
            here = [p for p in placed if p["first_rank"] <= rank < p["first_rank"] + p["degree"]]
            waits = 0.0
            for degree in {p["degree"] for p in here} - {1}:
                floor, intercept, slope = costs.communication(degree)
                tokens = sum(lengths[p["sequence"]] for p in here if p["degree"] == degree)
                waits += max(floor, intercept + slope * tokens)
            work = {
                local: sum(
                    costs.work(lengths[p["sequence"]], p["degree"])
                    for p in here
                    if (p["degree"] == 1) == local
                )
                for local in (True, False)
            }
            found.append(max(waits, work[True]) + work[False])
        return found

    def _time_values(self, values: list[float]) -> None:
        costs = self.costs
        for at, slot in enumerate(self.slots):
            if values[self.open[at]] and slot.degree > 1:
                floor, intercept, slope = costs.communication(slot.degree)
                tokens = sum(
                    length * values[own[at]]
                    for own, length in zip(self.x, costs.lengths, strict=True)
                )
                values[self.communication[at]] = max(floor, intercept + slope * tokens)
        totals = []
        for row in range(self.rows):
            for index in range(self.count):
                placed = [
                    {"sequence": k, "first_rank": slot.first, "degree": slot.degree}
                    for at, slot in enumerate(self.slots)
                    for k in range(len(costs.lengths))
                    if slot.index == index
                    and slot.first // self.row_size == row
                    and values[self.x[k][at]]
                ]
                time = max(self._rank_times(placed), default=0.0)
                values[self.time[row][index]] = max(costs.least, time) if placed else 0.0
            totals.append(
                sum(values[column] for column in self.time[row])
                + costs.fixed * sum(values[column] for column in self.used[row])
            )
        values[self.total] = max(totals)

    def micro_batches(self, values: list[float]) -> list[dict]:
        """A solution in the contract's form."""
        found = []
        for index in range(self.count):
            placed = [
                {"sequence": k, "first_rank": slot.first, "degree": slot.degree}
                for k, own in enumerate(self.x)
                for at, slot in enumerate(self.slots)
                if slot.index == index and values[own[at]] > 0.5
            ]
            if placed:
                found.append({"index": len(found), "placements": placed})
        return found
