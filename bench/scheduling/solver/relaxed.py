"""A bound on schedules of class ``local-or-all`` under lockstep that sees micro-batches, but not single ranks.

A sequence of a micro-batch on one data-parallel rank is either sharded over the whole group or local to some rank of it.
A program that knows only which leaves out how local sequences share ranks: it asks that their work and memory be no more
than all ranks have, that none alone takes longer than the micro-batch or more than a rank has left, and that no more are
there than ranks of which two do not fit one. Every schedule obeys that, so that none is faster than its optimum.
"""

from __future__ import annotations

from itertools import pairwise

from .costs import Costs
from .program import Program


def bound_schedule(costs: Costs, seconds: float) -> dict:
    """A time that no schedule with ``problem["micro_batches"]`` micro-batches or fewer beats, and the best relaxed one; us."""
    model = _Relaxed(costs, costs.problem["micro_batches"])
    outcome = model.program.solve(seconds, gap=1e-5)
    if outcome is None:
        raise ValueError("no relaxed schedule was found in the time")
    return {
        "bound": outcome.bound,
        "time": outcome.objective,
        "seconds": outcome.seconds,
        "cells": model.cells_of(outcome.values),
    }


class _Relaxed:
    def __init__(self, costs: Costs, count: int):
        self.costs = costs
        self.size = costs.problem["context_parallel"]
        self.program = Program()
        self.times = [self.program.variable(cost=1.0) for _ in range(count)]
        self.used = [self.program.binary(cost=costs.fixed) for _ in range(count)]
        #: Micro-batch of every cell: one for each data-parallel rank.
        self.cells = [
            index for index in range(count) for _ in range(costs.problem["data_parallel"])
        ]
        self.x = [
            [
                [
                    self.program.variable(
                        upper=1.0 if costs.fits(length, degree) else 0.0, whole=True
                    )
                    for length in costs.lengths
                ]
                for degree in (1, self.size)
            ]
            for _ in self.cells
        ]
        for k in range(len(costs.lengths)):
            self.program.row(
                [(own[k], 1.0) for cell in self.x for own in cell], least=1.0, most=1.0
            )
        for cell, index in enumerate(self.cells):
            self._cell(cell, index)
        for one, other in pairwise(self.times):
            self.program.row([(one, 1.0), (other, -1.0)], least=0.0)

    def _cell(self, cell: int, index: int) -> None:
        program, costs, size = self.program, self.costs, self.size
        local, shared = self.x[cell]
        time, used = self.times[index], self.used[index]
        lengths = list(enumerate(costs.lengths))
        opened = program.binary()
        for k, _ in lengths:
            program.row([(shared[k], 1.0), (opened, -1.0)], most=0.0)
            program.row([(local[k], 1.0), (shared[k], 1.0), (used, -1.0)], most=0.0)
        work = [(shared[k], -costs.work(length, size)) for k, length in lengths]
        own = {k: costs.work(length, 1) for k, length in lengths}
        spread = [(local[k], -own[k] / size) for k, _ in lengths]
        program.row([(time, 1.0), *work, *spread], least=0.0)
        floor, intercept, slope = costs.communication(size)
        tokens = [(shared[k], -slope * length) for k, length in lengths]
        program.row([(time, 1.0), (opened, -floor), *work], least=0.0)
        program.row([(time, 1.0), (opened, -intercept), *work, *tokens], least=0.0)
        memory = [(shared[k], costs.memory(length, size)) for k, length in lengths]
        program.row(
            [*memory, *((local[k], length / size) for k, length in lengths)], most=costs.bucket
        )
        for k, length in lengths:
            if costs.fits(length, 1):
                program.row([(time, 1.0), (local[k], -own[k]), *work], least=0.0)
                program.row([*memory, (local[k], length)], most=costs.bucket)
        long = [(local[k], 1.0) for k, length in lengths if 2 * length > costs.bucket]
        program.row(long, most=size)

    def cells_of(self, values: list[float]) -> list[dict]:
        """Which sequences a relaxed schedule has local and which sharded, by micro-batch and data-parallel rank."""
        found = []
        for cell, index in enumerate(self.cells):
            local, shared = (
                [k for k, column in enumerate(own) if values[column] > 0.5] for own in self.x[cell]
            )
            if local or shared:
                found.append({"index": index, "local": local, "sharded": shared})
        return found
