"""The contract's costs of a scheduling problem, by its words; shares nothing with the programs under test."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Costs:
    """A scheduling problem (contract/schedule-problem.schema.json, parsed)."""

    problem: dict

    @property
    def lengths(self) -> list[int]:
        return self.problem["lengths"]

    @property
    def ranks(self) -> int:
        return self.problem["data_parallel"] * self.problem["context_parallel"]

    @property
    def size(self) -> int:
        """Ranks that a group may span."""
        return self.ranks if self.problem["degrees"] == "pool" else self.problem["context_parallel"]

    @property
    def bucket(self) -> float:
        return self.problem["bucket"]

    @property
    def fixed(self) -> float:
        """us of every micro-batch."""
        return self.problem["cost"]["fixed"]

    @property
    def least(self) -> float:
        """us that a micro-batch takes at least, besides the fixed cost."""
        return self.problem["cost"].get("least", 0)

    def degrees(self) -> list[int]:
        """Group sizes that the class allows and that have a cost, ascending."""
        if self.problem["degrees"] == "local-or-all":
            allowed = sorted({1, self.problem["context_parallel"]})
        else:
            allowed = [2**n for n in range(self.size.bit_length()) if 2**n <= self.size]
        known = self.problem["cost"]["comm"]
        return [degree for degree in allowed if degree == 1 or str(degree) in known]

    def work(self, length: int, degree: int) -> float:
        """us on each of the group's ranks."""
        cost = self.problem["cost"]
        whole = cost["a1"] * length + cost["a2"] * length * length
        return whole / degree + cost["a2"] * cost["small_shard_tokens"] * length

    def communication(self, degree: int) -> tuple[float, float, float]:
        """``max(floor, intercept + slope * tokens)`` us of a group with sharded tokens."""
        return (0, 0, 0) if degree == 1 else tuple(self.problem["cost"]["comm"][str(degree)])

    def memory(self, length: int, degree: int) -> float:
        """Tokens that a sequence takes on each of the group's ranks."""
        if degree > 1 and self.problem["padding"] == "zigzag":
            return 2 * ceil(length / (2 * degree))
        return length / degree

    def alone(self, length: int, degree: int) -> float:
        """us of a group with one sequence, without the fixed cost."""
        floor, intercept, slope = self.communication(degree)
        return max(floor, intercept + slope * length) + self.work(length, degree)

    def fits(self, length: int, degree: int) -> bool:
        return self.memory(length, degree) <= self.bucket
