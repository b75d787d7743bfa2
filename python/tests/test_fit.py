"""The fit finds the constants that made the times, and says how far it is off on steps that it has not seen."""

from __future__ import annotations

import random
from dataclasses import astuple, replace

import numpy as np
import pytest

from skrull_runtime.config import SchedulingConfig
from skrull_runtime.profiling.correction import communication_of_run
from skrull_runtime.profiling.features import Batch, Terms
from skrull_runtime.profiling.figures import figures_of, terms_of, zero_included
from skrull_runtime.profiling.fit import Errors, Prior, fit_terms, predict, rank_correlation
from skrull_runtime.profiling.memory import factor_of
from skrull_runtime.profiling.recipes import designed_batches, training_batches
from skrull_runtime.scheduling.forecast import predicted_us

TERMS = Terms(token=20.0, target=9.0, square=0.012, shard=24.0, micro_batch=8000.0, step=11000.0)
TARGET_SHARE = 0.3
COMM = {str(degree): [900.0, 500.0, 0.5] for degree in (2, 4, 8)}
COST = {
    "a1": TERMS.token + TARGET_SHARE * TERMS.target,
    "a2": TERMS.square,
    "fixed": TERMS.micro_batch,
    "small_shard_tokens": TERMS.shard / TERMS.square,
    "comm": COMM,
}
FORECAST = {"fixed_us": TERMS.step, "target_us": TERMS.target, "target_share": TARGET_SHARE}


def scheduling(data_parallel: int = 1, context_parallel: int = 2, **changes) -> SchedulingConfig:
    """Two ranks that share long sequences, unless told otherwise."""
    config = SchedulingConfig(
        data_parallel=data_parallel,
        context_parallel=context_parallel,
        bucket=4096,
        padding="zigzag",
        cost=COST,
        policy="auto",
        degrees="local-or-all",
        objective="lockstep",
        global_batch=16,
        seed=3,
        forecast=FORECAST,
    )
    return replace(config, **changes)


def samples(count: int = 400) -> tuple[list[int], list[int]]:
    """Lengths with a long tail, and targets."""
    source = random.Random(5)
    lengths = [min(8000, int(source.lognormvariate(6, 1.2)) + 20) for _ in range(count)]
    return lengths, [int(length * source.uniform(0.05, 0.6)) for length in lengths]


def noisy(batches: list[Batch], config: SchedulingConfig, spread: float) -> list[float]:
    """Times of the true terms with noise; every twelfth hit by something else on the machine."""
    source = random.Random(7)
    times = predict(TERMS, batches, config, communication_of_run(config))
    return [
        float(own) * source.gauss(1, spread) * (3 if n % 12 == 11 else 1)
        for n, own in enumerate(times)
    ]


def test_constants_are_recovered_from_noisy_times_with_outliers() -> None:
    config = scheduling()
    lengths, targets = samples()
    designed = designed_batches(72, config, lengths)
    communication = communication_of_run(config)
    found = fit_terms(designed, noisy(designed, config, 0.02), config, communication)
    for name in ("token", "square", "shard", "micro_batch", "step"):
        assert getattr(found, name) == pytest.approx(getattr(TERMS, name), rel=0.25), name
    held_out = training_batches(20, config, lengths, targets)
    true = predict(TERMS, held_out, config, communication)
    errors = Errors.of(predict(found, held_out, config, communication), true)
    assert errors.steps == 20
    assert errors.median < 0.02
    assert errors.rank_correlation is not None and errors.rank_correlation > 0.99


def test_exact_times_are_fitted_exactly() -> None:
    config = scheduling()
    designed = designed_batches(72, config, samples()[0])
    communication = communication_of_run(config)
    times = predict(TERMS, designed, config, communication)
    found = fit_terms(designed, times, config, communication)
    assert astuple(found) == pytest.approx(astuple(TERMS), rel=1e-3)


def test_times_that_follow_no_model_give_a_large_held_out_error() -> None:
    config = scheduling()
    lengths, targets = samples()
    designed = designed_batches(48, config, lengths)
    communication = communication_of_run(config)
    times = noisy(designed, config, 0.0)
    random.Random(1).shuffle(times)
    found = fit_terms(designed, times, config, communication)
    held_out = training_batches(20, config, lengths, targets)
    true = predict(TERMS, held_out, config, communication)
    assert Errors.of(predict(found, held_out, config, communication), true).median > 0.2


def test_a_prior_holds_what_the_steps_cannot_tell() -> None:
    config = scheduling()
    lengths, targets = samples()
    # Every step has one micro-batch: its fixed cost cannot be told from the step's.
    batches = [
        batch
        for batch in training_batches(25, scheduling(global_batch=4), lengths, targets)
        if len(batch.schedule["micro_batches"]) == 1
    ]
    communication = communication_of_run(config)
    times = predict(TERMS, batches, config, communication)
    found = fit_terms(batches, times, config, communication, Prior(TERMS.vector(), 2.0))
    assert astuple(found) == pytest.approx(astuple(TERMS), rel=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"data_parallel": 2},
        {"data_parallel": 2, "objective": "free"},
        {"data_parallel": 2, "context_parallel": 4, "degrees": "powers-of-two"},
        {"data_parallel": 2, "context_parallel": 2, "degrees": "pool"},
    ],
)
def test_the_sum_of_terms_is_the_forecast(changes: dict) -> None:
    config = scheduling(**changes)
    batches = training_batches(12, config, *samples())
    sums = predict(TERMS, batches, config, communication_of_run(config))
    forecasts = [
        predicted_us(batch.schedule, config, batch.lengths, batch.targets) for batch in batches
    ]
    assert list(sums) == pytest.approx(forecasts, rel=1e-9)


def test_without_a_forecast_the_schedule_s_own_time_counts() -> None:
    config = scheduling(forecast=None)
    (batch,) = training_batches(1, config, *samples())
    own = predicted_us(batch.schedule, config, batch.lengths, batch.targets)
    assert own == batch.schedule["iteration_time"]


def test_figures_and_terms_are_each_other_s_inverse() -> None:
    demand = {
        "flops": {
            "body_per_token": 3e6,
            "head_per_target": 5e5,
            "attention_per_token": 1000.0,
            "attention_per_token_squared": 1536.0,
        }
    }
    figures, notes = figures_of(TERMS, demand)
    again = terms_of(figures, demand, TERMS.micro_batch, TERMS.step)
    assert astuple(again) == pytest.approx(astuple(TERMS))
    assert notes == []
    lost, notes = figures_of(replace(TERMS, token=0.0, square=0.0), demand)
    assert "matmul_flops" not in lost and "attention_flops" not in lost
    assert len(notes) == 1


@pytest.mark.parametrize(("reduction", "stage"), [("every-micro-batch", 2), ("once", 1)])
def test_stage_2_that_reduces_once_communicates_as_stage_1(reduction: str, stage: int) -> None:
    plan = {
        "topology": {"zero_stage": 2},
        "training": {"reduction": reduction, "gradients": "fp32"},
        "model": {"shape": {"parameters": 300}, "precision": "bf16"},
    }
    included = {"stage": stage, "ranks": 4, "parameters": 300}
    assert zero_included(plan, 4) == {**included, "gradients": "fp32"}
    del plan["training"]["gradients"]  # compiled before there was a choice
    assert zero_included(plan, 4) == {**included, "gradients": "bf16"}


def test_ranks_correlate_as_spearman_s() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 4000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
    assert rank_correlation([5, 5], [1, 2]) is None


def test_errors_are_relative_to_what_was_measured() -> None:
    errors = Errors.of(np.array([90.0, 110.0, 300.0]), [100.0, 100.0, 200.0])
    assert (errors.median, errors.bias) == pytest.approx((0.1, 0.1))


def test_the_activation_factor_is_of_the_rows_that_it_scales() -> None:
    rows = {"activations": 60, "layer-at-work": 40, "gathered": 7, "model-ends": 10}
    plan = {
        "memory": {"per_token": [{"id": own, "bytes": bytes_} for own, bytes_ in rows.items()]},
        "hardware": {"figures": {"activation_factor": 2.0}},
    }
    assert factor_of(160.0, plan) == 3.0  # 10 of them are not scaled
