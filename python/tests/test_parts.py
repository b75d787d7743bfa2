"""The parts of a step: what is fitted adds up to the steps, and what nobody measured has no figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_fit import TERMS, samples, scheduling

from skrull_runtime.profiling.correction import Correction, communication_of_run
from skrull_runtime.profiling.fit import Errors, predict
from skrull_runtime.profiling.history import MeasuredStep
from skrull_runtime.profiling.recipes import training_batches
from skrull_runtime.reporting.parts import as_lines, rows_of

CONFIG = scheduling()
BATCHES = training_batches(6, CONFIG, *samples())
SLOWER = replace(TERMS, square=2 * TERMS.square, shard=2 * TERMS.shard, step=3 * TERMS.step)
PLAN = {
    "step": {"zero_us": {"micro_batch": 100.0, "step": 4000.0}},
    "demand": {
        "flops": {"body_per_token": 3e6, "attention_per_token": 0.0},
        "bytes": {"per_token": 1000.0, "per_target": 10.0},
    },
    "hardware": {
        "figures": {"matmul_flops": 1e12, "elementwise_bytes_per_second": 1e9, "attention_flops": 1}
    },
}


def rows(plan: dict = PLAN, optimizer: float | None = 0.02) -> dict:
    steps = [
        MeasuredStep(n, 1, 1, len(batch.schedule["micro_batches"]), 1.0, 1.0, 0.0, optimizer)
        for n, batch in enumerate(BATCHES)
    ]
    correction = Correction({}, SLOWER, [], Errors(6, 0, 0, 0, None))
    return {row.id: row for row in rows_of(steps, BATCHES, plan, CONFIG, correction)}


def test_whole_parts_add_up_to_both_predictions() -> None:
    whole = [row for row in rows().values() if row.of is None]
    for terms, sums in (
        (TERMS, sum(row.predicted for row in whole)),
        (SLOWER, sum(row.actual for row in whole)),
    ):
        times = predict(terms, BATCHES, CONFIG, communication_of_run(CONFIG))
        assert 1e6 * sums == pytest.approx(times.mean())


def test_a_fitted_part_differs_as_its_term_does() -> None:
    found = rows()
    assert found["tokens"].actual == pytest.approx(found["tokens"].predicted, rel=0.2)
    assert found["step"].actual == pytest.approx(3 * TERMS.step / 1e6)
    assert {found[name].origin for name in ("tokens", "attention", "head", "step")} == {"fitted"}


def test_what_grows_with_tokens_is_told_apart_by_the_plan_alone() -> None:
    found = rows()
    products, bandwidth = found["products"], found["bandwidth"]
    # 3 us of products and 1 us of memory.
    assert products.predicted == pytest.approx(3 * bandwidth.predicted)
    assert products.predicted + bandwidth.predicted == pytest.approx(found["tokens"].predicted)
    assert (products.actual, products.origin) == (None, "modelled")
    together = {**PLAN["hardware"]["figures"], "elementwise_bytes_per_second": None}
    assert "products" not in rows({**PLAN, "hardware": {"figures": together}})


def test_a_step_s_optimizer_is_measured_and_its_traffic_is_not() -> None:
    found = rows()
    assert (found["optimizer"].actual, found["optimizer"].origin) == (0.02, "measured")
    assert found["optimizer"].predicted == pytest.approx((TERMS.step - 4000) / 1e6)
    assert (found["zero-step"].predicted, found["zero-step"].actual) == (0.004, None)
    count = sum(len(batch.schedule["micro_batches"]) for batch in BATCHES) / len(BATCHES)
    assert found["zero-micro-batches"].predicted == pytest.approx(100e-6 * count)
    # Files of before do not have it.
    before = rows(optimizer=None)["optimizer"]
    assert (before.actual, before.origin) == (None, "modelled")


def test_lines_have_at_most_80_characters_and_name_what_is_unknown() -> None:
    lines = as_lines([*rows().values()], 12345.678, 0.0001234)
    assert max(map(len, lines)) <= 80
    (products,) = [line for line in lines if line.strip().startswith("matrix products  ")]
    assert products.split()[-2:] == ["-", "modelled"]
    assert len(as_lines([*rows().values()], 1.0, None)) == len(lines) - 1
