"""A mixed-integer program, put together row by row and solved by HiGHS within a time limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import highspy
import numpy as np

INFINITY = highspy.kHighsInf

Terms = Iterable[tuple[int, float]]


@dataclass(frozen=True)
class Outcome:
    """What came of a solve: the values of the variables, the objective, a bound on it, and the time taken in seconds."""

    values: Sequence[float]
    objective: float
    bound: float
    seconds: float

    def gap(self) -> float:
        """How far the objective may be above the optimum, relative to the bound."""
        return (self.objective - self.bound) / self.bound if self.bound > 0 else 0.0


@dataclass
class Program:
    """Minimises a linear objective; variables are numbered in the order of :meth:`variable`."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)

    def variable(
        self, *, cost: float = 0.0, lower: float = 0.0, upper: float = INFINITY, whole: bool = False
    ) -> int:
        """Adds a variable and returns its number."""
        self.cost.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def binary(self, cost: float = 0.0) -> int:
        """Adds a variable that is 0 or 1."""
        return self.variable(cost=cost, upper=1.0, whole=True)

    def row(self, terms: Terms, *, least: float = -INFINITY, most: float = INFINITY) -> None:
        """Adds ``least <= sum of factor * variable <= most``; a variable may come more than once."""
        together: dict[int, float] = {}
        for column, factor in terms:
            together[column] = together.get(column, 0.0) + factor
        self.starts.append(len(self.columns))
        self.columns.extend(together)
        self.factors.extend(together.values())
        self.row_lower.append(least)
        self.row_upper.append(most)

    def solve(
        self, seconds: float, start: Sequence[float] | None = None, gap: float = 1e-9
    ) -> Outcome | None:
        """The best solution found in the time, from a feasible ``start`` if one is known; ``None`` where there is none.

        One thread and no randomness: only the time limit may make two runs differ. HiGHS 1.16 at times gives a start back
        with an objective and a bound that are not its own: then it solves again without, and the better one counts.
        """
        outcome = self._solve(seconds, start, gap)
        if start is None or (outcome is not None and self._agrees(outcome)):
            return outcome
        outcome = self._solve(seconds, None, gap)
        own = self._objective(start)
        if outcome is None or own <= outcome.objective:
            bound = 0.0 if outcome is None else min(own, outcome.bound)
            return Outcome(list(start), own, bound, seconds if outcome is None else outcome.seconds)
        return outcome

    def _agrees(self, outcome: Outcome) -> bool:
        own = self._objective(outcome.values)
        wrong = abs(own - outcome.objective) > 1e-6 * (1.0 + abs(own))
        return not wrong and self.violation(outcome.values) <= 1e-6

    def _objective(self, values: Sequence[float]) -> float:
        return sum(factor * value for factor, value in zip(self.cost, values, strict=True))

    def violation(self, values: Sequence[float]) -> float:
        """By how much values break a row at most, relative to what the row adds up."""
        worst = 0.0
        ends = [*self.starts[1:], len(self.columns)]
        for begin, end, least, most in zip(
            self.starts, ends, self.row_lower, self.row_upper, strict=True
        ):
            parts = [self.factors[at] * values[self.columns[at]] for at in range(begin, end)]
            size = 1.0 + sum(abs(part) for part in parts)
            worst = max(worst, (least - sum(parts)) / size, (sum(parts) - most) / size)
        return worst

    def _solve(self, seconds: float, start: Sequence[float] | None, gap: float) -> Outcome | None:
        highs = self._highs(seconds, gap)
        if start is not None:
            solution = highspy.HighsSolution()
            solution.col_value = [float(value) for value in start]
            highs.setSolution(solution)
        highs.run()
        info = highs.getInfo()
        if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
            return None
        return Outcome(
            values=list(highs.getSolution().col_value),
            objective=info.objective_function_value,
            bound=info.mip_dual_bound,
            seconds=highs.getRunTime(),
        )

    def _highs(self, seconds: float, gap: float) -> highspy.Highs:
        highs = highspy.Highs()
        for option, value in {
            "output_flag": False,
            "threads": 1,
            "time_limit": seconds,
            "mip_rel_gap": gap,
            "mip_feasibility_tolerance": 1e-9,
            "primal_feasibility_tolerance": 1e-9,
        }.items():
            highs.setOptionValue(option, value)
        model = highspy.HighsLp()
        model.num_col_ = len(self.cost)
        model.num_row_ = len(self.starts)
        model.col_cost_ = np.array(self.cost, dtype=float)
        model.col_lower_ = np.array(self.lower, dtype=float)
        model.col_upper_ = np.array(self.upper, dtype=float)
        model.row_lower_ = np.array(self.row_lower, dtype=float)
        model.row_upper_ = np.array(self.row_upper, dtype=float)
        model.integrality_ = [
            highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
            for whole in self.whole
        ]
        model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        model.a_matrix_.start_ = np.array([*self.starts, len(self.columns)], dtype=np.int32)
        model.a_matrix_.index_ = np.array(self.columns, dtype=np.int32)
        model.a_matrix_.value_ = np.array(self.factors, dtype=float)
        if highs.passModel(model) == highspy.HighsStatus.kError:
            raise ValueError("HiGHS refuses the program")
        return highs
