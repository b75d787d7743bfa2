"""The programs beside which the scheduling benchmark puts schedules: their parts, and whole ones solved by HiGHS.

HiGHS is in an environment of the benchmark's own (``build/scheduling-solver``), not in that of the tests.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from functools import cache
from itertools import combinations, pairwise, product
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "bench" / "scheduling"
sys.path.insert(0, str(BENCH))

from solver.costs import Costs  # noqa: E402
from solver.groups import (  # noqa: E402
    Group,
    best_start,
    bucketed,
    equal_runs,
    placements,
    slowest,
)


def problem(lengths: list[int], **changes: object) -> dict:
    own = {
        "lengths": lengths,
        "data_parallel": 2,
        "context_parallel": 4,
        "bucket": 1000,
        "padding": "exact",
        "degrees": "pool",
        "objective": "lockstep",
        "cost": {
            "a1": 1.0,
            "a2": 0.001,
            "fixed": 100,
            "least": 0,
            "small_shard_tokens": 0,
            "comm": {"2": [50, 40, 0.1], "4": [60, 50, 0.2], "8": [90, 70, 0.3]},
        },
    }
    return own | changes


def drawn(seed: int, count: int) -> list[int]:
    source = random.Random(seed)
    return [source.randint(1, 3000 if source.random() < 0.2 else 600) for _ in range(count)]


def test_runs_hold_as_few_tokens_as_any_cut_allows():
    for seed in range(20):
        lengths = sorted(drawn(seed, 9), reverse=True)
        for count in (1, 2, 3, 4):
            runs = equal_runs(range(9), lengths, count)
            assert [k for run in runs for k in run] == list(range(9))
            assert len(runs) == count and all(runs)
            cuts = [(0, *cut, 9) for cut in combinations(range(1, 9), count - 1)]
            least = min(max(sum(lengths[a:b]) for a, b in pairwise(cut)) for cut in cuts)
            assert max(sum(lengths[k] for k in run) for run in runs) == least


def test_buckets_add_as_few_tokens_as_any_cut_allows():
    for seed in range(20):
        lengths = sorted(drawn(seed, 8), reverse=True)
        buckets = bucketed(range(8), lengths, 3)
        assert [k for bucket in buckets for k in bucket.sequences] == list(range(8))
        assert all(bucket.length == lengths[bucket.sequences[0]] for bucket in buckets)
        added = sum(bucket.length * len(bucket.sequences) for bucket in buckets) - sum(lengths)
        cuts = [(0, *cut, 8) for cut in combinations(range(1, 8), 2)]
        least = min(sum(lengths[a] * (b - a) for a, b in pairwise(cut)) for cut in cuts)
        assert added == least - sum(lengths)


def test_groups_stand_side_by_side_and_aligned():
    groups = [Group(1, [0]), Group(4, [1, 2]), Group(2, [3]), Group(1, [4])]
    assert [(p["sequence"], p["first_rank"], p["degree"]) for p in placements(groups)] == [
        (0, 6, 1),
        (1, 0, 4),
        (2, 0, 4),
        (3, 4, 2),
        (4, 7, 1),
    ]


def test_a_start_holds_every_sequence_within_memory():
    for seed in range(20):
        lengths = drawn(seed, 12)
        costs = Costs(problem(lengths, bucket=3000))
        order = sorted(range(12), key=lambda k: -lengths[k])
        groups = best_start(order, costs)
        assert groups is not None
        assert sorted(k for group in groups for k in group.sequences) == list(range(12))
        assert sum(group.degree for group in groups) <= costs.ranks
        for group in groups:
            assert sum(lengths[k] / group.degree for k in group.sequences) <= costs.bucket


def test_a_lone_sequence_gets_the_group_on_which_it_is_fastest():
    # 20 tokens take 20.4 us alone, and any group waits 50. 2,000: 8 ranks take 670 + 750, 4 take 450 + 1,500.
    for length, degree in ((20, 1), (2000, 8)):
        costs = Costs(problem([length]))
        groups = best_start([0], costs)
        assert groups is not None and [group.degree for group in groups] == [degree]
        assert slowest(groups, costs) == min(
            costs.alone(length, d) for d in (1, 2, 4, 8) if costs.fits(length, d)
        )


@cache
def solver() -> str:
    """Python of the benchmark's own environment, which is made where it is missing."""
    script = BENCH / "make-solver.mjs"
    made = subprocess.run(["node", script], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout


def answers(ask: str, problems: list[dict], seconds: int = 20) -> list[dict]:
    request = json.dumps({"ask": ask, "seconds": seconds, "problems": problems})
    made = subprocess.run(
        [solver(), "-m", "solver"], cwd=BENCH, input=request, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)


def test_the_exact_program_finds_what_trying_everything_finds():
    problems = [
        problem(drawn(seed, 4), data_parallel=1, context_parallel=2, bucket=2000, micro_batches=2)
        for seed in range(6)
    ]
    for own, answer in zip(problems, answers("exact", problems), strict=True):
        assert answer["time"] == pytest.approx(tried_out(own), rel=1e-6)
        assert answer["bound"] == pytest.approx(answer["time"], rel=1e-6)


def test_a_start_at_the_optimum_changes_nothing():
    # HiGHS 1.16 gives this one back as one of 566 us: the fixed cost alone.
    cost = problem([])["cost"] | {"a1": 3, "a2": 0.0024, "fixed": 566, "small_shard_tokens": 256}
    own = problem(
        [645, 2502, 5454, 4207, 1107, 482, 697, 786, 4601, 568, 81, 5],
        data_parallel=1,
        context_parallel=2,
        bucket=1_000_000,
        degrees="local-or-all",
        cost=cost | {"comm": {"2": [189, 1637, 0.1]}},
        micro_batches=1,
    )
    [first] = answers("exact", [own])
    assert first["bound"] == pytest.approx(first["time"], rel=1e-6)
    [again] = answers("exact", [own | {"known": first["micro_batches"]}])
    assert again["time"] == pytest.approx(first["time"], rel=1e-9)
    assert again["bound"] == pytest.approx(first["time"], rel=1e-6)


def tried_out(own: dict) -> float:
    """The least time of two micro-batches on two ranks, by trying every one."""
    costs = Costs(own)
    slots = [(index, place) for index in (0, 1) for place in ("first", "second", "both")]
    return min(
        time
        for chosen in product(slots, repeat=len(own["lengths"]))
        if (time := time_of_choice(chosen, costs)) is not None
    )


def time_of_choice(chosen: tuple[tuple[int, str], ...], costs: Costs) -> float | None:
    total = 0.0
    for index in (0, 1):
        own = {
            place: [costs.lengths[k] for k, slot in enumerate(chosen) if slot == (index, place)]
            for place in ("first", "second", "both")
        }
        if not any(own.values()):
            continue
        shared = sum(costs.work(length, 2) for length in own["both"])
        floor, intercept, slope = costs.communication(2)
        wait = max(floor, intercept + slope * sum(own["both"])) if own["both"] else 0.0
        times = []
        for place in ("first", "second"):
            if sum(own[place]) + sum(own["both"]) / 2 > costs.bucket:
                return None
            times.append(max(wait, sum(costs.work(length, 1) for length in own[place])) + shared)
        total += max(times) + costs.fixed
    return total


def test_the_relaxed_bound_is_below_the_optimum_and_near_it():
    problems = [
        problem(drawn(seed, 6), data_parallel=1, context_parallel=4, degrees="local-or-all")
        | {"micro_batches": 3, "bucket": 1200}
        for seed in range(4)
    ]
    exact = answers("exact", problems)
    for relaxed, optimum in zip(answers("relaxed", problems), exact, strict=True):
        assert 0.5 * optimum["time"] < relaxed["bound"] <= optimum["time"] * (1 + 1e-6)


def test_flexsp_places_every_sequence_once_and_no_rank_twice():
    lengths = [drawn(seed, 24) for seed in range(3)]
    problems = [problem(own) for own in lengths]
    for own, answer in zip(lengths, answers("flexsp", problems, seconds=2), strict=True):
        placed = [p for one in answer["micro_batches"] for p in one["placements"]]
        assert sorted(p["sequence"] for p in placed) == list(range(24))
        for one in answer["micro_batches"]:
            groups = {(p["first_rank"], p["degree"]) for p in one["placements"]}
            ranks = [first + n for first, degree in groups for n in range(degree)]
            assert len(ranks) == len(set(ranks)) and max(ranks) < 8
            for first, degree in groups:
                here = [p for p in one["placements"] if p["first_rank"] == first]
                assert sum(own[p["sequence"]] for p in here) / degree <= 1000
