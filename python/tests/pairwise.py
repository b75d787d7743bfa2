"""Few cases that try every two settings together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Case = dict[str, Any]


def product(factors: Mapping[str, Sequence[Any]], valid: Callable[[Case], bool]) -> list[Case]:
    """All valid combinations, in the order of the factors."""
    combinations = itertools.product(*factors.values())
    found = (dict(zip(factors, values, strict=True)) for values in combinations)
    return [case for case in found if valid(case)]


def pairwise(factors: Mapping[str, Sequence[Any]], valid: Callable[[Case], bool]) -> list[Case]:
    """Valid combinations in which every two values that may meet do: greedily the one with most new pairs."""
    candidates = [(case, pairs_of(case)) for case in product(factors, valid)]
    missing = set().union(*(pairs for _, pairs in candidates))
    chosen = []
    while missing:
        case, pairs = max(candidates, key=lambda candidate: len(candidate[1] & missing))
        chosen.append(case)
        missing -= pairs
    return chosen


def pairs_of(case: Case) -> frozenset:
    """The pairs of settings that a case tries."""
    return frozenset(itertools.combinations(case.items(), 2))
