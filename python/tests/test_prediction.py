"""A run warns of step times that its plan's band does not allow, once, and says which part is at fault where that shows."""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import test_fit
from test_fit import TERMS, samples, scheduling

from skrull_runtime.profiling.correction import communication_of_run, terms_before
from skrull_runtime.profiling.features import PART_NAMES, Batch, part_times
from skrull_runtime.profiling.fit import predict
from skrull_runtime.profiling.recipes import training_batches
from skrull_runtime.reporting.prediction import (
    STEPS,
    WARM_UP,
    PredictionCheck,
    Timed,
    is_outside,
    likeliest_part,
    median_of,
    warning,
)

BAND = {"time": 0.2, "kind": "one node", "points": 34}
CONFIG = scheduling(forecast={**test_fit.FORECAST, "band": BAND})


@pytest.mark.parametrize(
    ("band", "predicted", "outside"),
    [
        (0.2, 1.2, False),
        (0.2, 1.21, True),
        (0.2, 0.8, False),
        (0.2, 0.79, True),
        (5, 5.9, False),
        (5, 6.1, True),
        (5, 0.17, False),
        (5, 0.16, True),
    ],
)
def test_a_band_is_a_share_of_what_was_measured(
    band: float, predicted: float, outside: bool
) -> None:
    assert is_outside(Timed(0, 1.0, predicted), band) is outside


def test_the_median_is_a_step_that_was_taken() -> None:
    steps = [Timed(n, measured, 1.0) for n, measured in enumerate([5, 1, 2, 50])]
    assert median_of(steps).step == 0  # ratios 0.2, 1, 0.5, 0.02
    assert median_of(steps[:3]).step == 2


def batches(count: int = STEPS) -> list[Batch]:
    return training_batches(count, CONFIG, *samples())


def parts_of(steps: list[Batch]) -> np.ndarray:
    communication = communication_of_run(CONFIG)
    return np.array([part_times(own, CONFIG, communication, TERMS) for own in steps])


def test_the_parts_add_up_to_the_prediction() -> None:
    steps = batches()
    sums = predict(TERMS, steps, CONFIG, communication_of_run(CONFIG))
    assert list(parts_of(steps).sum(axis=1)) == pytest.approx(list(sums))


@pytest.mark.parametrize(("part", "factor"), [("tokens", 3), ("attention", 3), ("step", 40)])
def test_a_part_that_takes_longer_is_found_in_noise(part: str, factor: float) -> None:
    parts = parts_of(batches())
    source = random.Random(1)
    factors = np.where(np.array(PART_NAMES) == part, factor, 1.0)
    measured = (parts * factors).sum(axis=1) * [source.gauss(1, 0.03) for _ in parts]
    found = likeliest_part(parts, measured)
    assert found is not None
    assert found[0] == part
    assert found[1] == pytest.approx(factor, rel=0.25)


def test_no_part_is_named_where_all_are_as_much_slower() -> None:
    parts = parts_of(batches())
    source = random.Random(1)
    measured = 2 * parts.sum(axis=1) * [source.gauss(1, 0.03) for _ in parts]
    assert likeliest_part(parts, measured) is None


def test_no_part_is_named_where_all_steps_are_alike() -> None:
    parts = np.repeat(parts_of(batches(1)), 5, axis=0)
    assert likeliest_part(parts, 2 * parts.sum(axis=1)) is None


def checked(slower: float, count: int, check: PredictionCheck) -> list[str | None]:
    """What the check says of steps that take so many times what was predicted."""
    said = []
    predicted = predict(terms_before(CONFIG), batches(count), CONFIG, communication_of_run(CONFIG))
    for n, (batch, own) in enumerate(zip(batches(count), predicted, strict=True)):
        step = SimpleNamespace(step=n, schedule=batch.schedule, predicted_seconds=own / 1e6)
        said.append(check.add(step, batch.lengths, batch.targets, slower * own / 1e6))
    return said


def new() -> PredictionCheck:
    check = PredictionCheck.of(CONFIG, CONFIG, 0)
    assert check is not None
    return check


@pytest.mark.parametrize("slower", [2.0, 0.5])
def test_a_wrong_prediction_is_warned_of_once_after_twenty_steps(slower: float) -> None:
    check = new()
    said = checked(slower, STEPS + 5, check)
    assert [n for n, text in enumerate(said) if text] == [STEPS - 1]
    text = said[STEPS - 1] or ""
    assert f"steps take {slower:.2g} times as long as predicted" in text
    assert "within 20% (runs of the kind 'one node', 34 measurements)" in text
    assert "python -m skrull_runtime.report ." in text
    assert check.end() is None


def test_a_right_prediction_is_not_warned_of() -> None:
    check = new()
    assert checked(1.1, STEPS, check) == [None] * STEPS
    assert check.end() is None


def test_a_shorter_run_hears_of_it_at_its_end() -> None:
    check = new()
    assert checked(2.0, 5, check) == [None] * 5
    assert "the median of 5" in (check.end() or "")
    few = new()
    checked(2.0, 2, few)
    assert few.end() is None


def test_what_nothing_was_promised_of_is_not_checked() -> None:
    bare = scheduling()
    assert PredictionCheck.of(bare, bare, 0) is None
    assert PredictionCheck.of(CONFIG, scheduling(2, forecast=CONFIG.forecast), 0) is None
    assert PredictionCheck.of(CONFIG, CONFIG, WARM_UP + STEPS) is None
    assert PredictionCheck.of(CONFIG, CONFIG, WARM_UP + STEPS - 1) is not None


def test_the_warning_names_the_part() -> None:
    profiled = {"time": 0.2, "kind": "profiled", "points": 120}
    text = warning(Timed(17, 2.31, 0.96), 20, profiled, ("attention", 3.123))
    assert "step 17, the median of 20, took 2.31 s, 0.96 s were predicted" in text
    assert "it fits best that attention takes 3.1 times as long as planned" in text
    assert "(runs with a profile, 120 measurements)" in text
    assert "do not tell which part" in warning(Timed(1, 1, 2), 20, profiled, None)
