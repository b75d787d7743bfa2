"""The scheduler and the shuffle give what the compiler's do, on the vectors that both test suites run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from skrull_runtime.batches.shuffle import global_batches
from skrull_runtime.contract.vocabularies import Policy
from skrull_runtime.scheduling import POLICIES, ScheduleError, schedule

VECTORS = Path(__file__).resolve().parents[2] / "test" / "vectors"
SCHEDULES = json.loads((VECTORS / "schedule.json").read_text())
COMPARISONS = {*get_args(Policy)} - {*POLICIES}
SHUFFLES = json.loads((VECTORS / "shuffle.json").read_text())


def comparable(answer: dict) -> dict:
    """Without the words of an invalid problem's message, which are each program's own, and without the compiler's bound."""
    if answer.get("error", {}).get("code") == "invalid-problem":
        return {"code": "invalid-problem", "path": answer["error"]["path"]}
    return {name: value for name, value in answer.items() if name not in ("lower_bound", "gap")}


def for_comparison(problem: object) -> bool:
    return isinstance(problem, dict) and problem.get("policy") in COMPARISONS


ONLINE = [vector for vector in SCHEDULES if not for_comparison(vector["problem"])]


def test_policies_for_comparison_are_the_compilers_alone():
    problem = {**SCHEDULES[0]["problem"], "policy": "skrull-paper"}
    with pytest.raises(ScheduleError, match="only the compiler") as raised:
        schedule(problem)
    assert raised.value.path == "/policy"


@pytest.mark.parametrize("vector", ONLINE, ids=lambda vector: vector["name"])
def test_schedule_equals_the_compilers(vector):
    try:
        answer = schedule(vector["problem"])
    except ScheduleError as error:
        answer = error.document()
    assert comparable(answer) == comparable(vector["answer"])


@pytest.mark.parametrize(
    "vector", SHUFFLES, ids=lambda vector: f"{vector['count']} by {vector['size']}"
)
def test_global_batches_equal_the_compilers(vector):
    names = ("count", "size", "seed", "epoch")
    batches = global_batches(*(vector[name] for name in names), vector.get("mixture", ()))
    assert batches == vector["batches"]
