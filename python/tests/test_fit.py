"""The fit finds the constants that made the times, and says how far it is off on steps that it has not seen."""

from __future__ import annotations

import random
from dataclasses import astuple, replace

import numpy as np
import pytest

from skrull_runtime.config import SchedulingConfig
from skrull_runtime.profiling.collectives import network_of
from skrull_runtime.profiling.correction import KEPT, communication_of_run, terms_before
from skrull_runtime.profiling.features import Batch, Terms
from skrull_runtime.profiling.figures import figures_of, zero_included, zero_overlap
from skrull_runtime.profiling.fit import Errors, Prior, fit_terms, predict, rank_correlation
from skrull_runtime.profiling.memory import factor_of, planned_bytes
from skrull_runtime.profiling.profile_file import Figures, Profile, Table
from skrull_runtime.profiling.recipes import designed_batches, training_batches
from skrull_runtime.scheduling.forecast import predicted_us
from skrull_runtime.scheduling.summary import fullest_rank

TERMS = Terms(
    token=20.0, target=9.0, square=0.012, shard=24.0, least=0.0, micro_batch=8000.0, step=11000.0
)
# A GPU that small micro-batches do not fill: the host's time to start kernels decides.
HOST_BOUND = replace(TERMS, least=30000.0, micro_batch=0.0)
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


def test_what_a_micro_batch_takes_at_least_is_told_from_what_it_takes_besides() -> None:
    config = scheduling()
    designed = designed_batches(72, config, samples()[0])
    communication = communication_of_run(config)
    times = predict(HOST_BOUND, designed, config, communication)
    found = fit_terms(designed, times, config, communication)
    assert found.least == pytest.approx(HOST_BOUND.least, rel=0.02)
    assert found.token == pytest.approx(HOST_BOUND.token, rel=0.05)
    assert found.micro_batch < 1000
    # Where every micro-batch takes a fixed time besides its work, there is no least time to be found.
    assert fit_terms(designed, noisy(designed, config, 0.02), config, communication).least == 0
    # Nor where other programs change every time by so much that nothing can be told.
    source = random.Random(3)
    loaded = [float(own) * source.gauss(1, 0.15) for own in times]
    assert fit_terms(designed, loaded, config, communication).least == 0


def test_a_prior_holds_the_least_time_that_no_step_comes_to() -> None:
    config = scheduling()
    batches = training_batches(12, config, *samples())
    communication = communication_of_run(config)
    before = replace(TERMS, least=1000.0)
    times = predict(before, batches, config, communication)
    found = fit_terms(batches, times, config, communication, Prior(before.vector(), 2.0))
    assert found.least == 1000.0


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
        {"data_parallel": 2, "cost": {**COST, "least": 150000.0}},
    ],
)
def test_the_sum_of_terms_is_the_forecast(changes: dict) -> None:
    config = scheduling(**changes)
    batches = training_batches(12, config, *samples())
    terms = terms_before(config)
    assert terms.least == changes.get("cost", {}).get("least", 0)
    assert astuple(replace(terms, least=0.0)) == pytest.approx(astuple(TERMS))
    sums = predict(terms, batches, config, communication_of_run(config))
    without = predict(replace(terms, least=0.0), batches, config, communication_of_run(config))
    assert (list(sums) != list(without)) == (terms.least > 0)
    forecasts = [
        predicted_us(batch.schedule, config, batch.lengths, batch.targets) for batch in batches
    ]
    assert list(sums) == pytest.approx(forecasts, rel=1e-9)


@pytest.mark.parametrize("objective", ["lockstep", "free"])
def test_the_sum_of_terms_is_the_forecast_where_some_recompute_less(objective: str) -> None:
    lighter = [
        {
            "tokens": tokens,
            "a1": COST["a1"] * share,
            "a2": COST["a2"] * share,
            "comm": {degree: [own * share for own in row] for degree, row in COMM.items()},
        }
        for tokens, share in ((3000, 0.5), (4000, 0.75))
    ]
    forecast = {**FORECAST, "lighter": lighter}
    config = scheduling(data_parallel=2, objective=objective, forecast=forecast)
    batches = training_batches(12, config, *samples())
    sums = predict(TERMS, batches, config, communication_of_run(config))
    found = [predicted_us(own.schedule, config, own.lengths, own.targets) for own in batches]
    assert list(sums) == pytest.approx(found, rel=1e-9)
    plain = scheduling(data_parallel=2, objective=objective)
    before = [predicted_us(own.schedule, plain, own.lengths, own.targets) for own in batches]
    assert sum(found) < 0.95 * sum(before)


@pytest.mark.parametrize("changes", [{}, {"data_parallel": 2}])
def test_micro_batches_that_recompute_less_are_forecast_by_their_own_costs(changes: dict) -> None:
    plain = scheduling(**changes)
    batches = training_batches(12, plain, *samples())
    held = sorted(
        fullest_rank(entry["placements"], batch.lengths)
        for batch in batches
        for entry in batch.schedule["micro_batches"]
    )
    limits = (held[len(held) // 3], held[2 * len(held) // 3])
    lighter = [
        {
            "tokens": tokens,
            "a1": COST["a1"] * share,
            "a2": COST["a2"] * share / 2,
            "comm": {degree: [row[0], row[1], row[2] * share] for degree, row in COMM.items()},
        }
        for tokens, share in zip(limits, (0.5, 0.75), strict=True)
    ]
    config = scheduling(**changes, forecast={**FORECAST, "lighter": lighter})
    used = set()
    for batch in batches:
        expected = TERMS.step
        for entry in batch.schedule["micro_batches"]:
            fullest = fullest_rank(entry["placements"], batch.lengths)
            mode = next((n for n, most in enumerate(limits) if fullest <= most), None)
            used.add(mode)
            own = (
                {} if mode is None else {name: lighter[mode][name] for name in ("a1", "a2", "comm")}
            )
            alone = {**batch.schedule, "micro_batches": [entry]}
            cost = replace(plain, cost={**COST, **own})
            expected += predicted_us(alone, cost, batch.lengths, batch.targets) - TERMS.step
        found = predicted_us(batch.schedule, config, batch.lengths, batch.targets)
        assert found == pytest.approx(expected, rel=1e-9)
    assert used == {0, 1, None}


def test_without_a_forecast_the_schedule_s_own_time_counts() -> None:
    config = scheduling(forecast=None)
    (batch,) = training_batches(1, config, *samples())
    own = predicted_us(batch.schedule, config, batch.lengths, batch.targets)
    assert own == batch.schedule["iteration_time"]


def test_figures_give_the_terms_that_they_were_made_from() -> None:
    demand = {
        "flops": {
            "body_per_token": 3e6,
            "head_per_target": 5e5,
            "attention_per_token": 1000.0,
            "attention_per_token_squared": 1536.0,
        }
    }
    figures, notes = figures_of(TERMS, demand)
    flops = demand["flops"]
    linear = flops["attention_per_token"] / figures["attention_flops"]
    token = flops["body_per_token"] / figures["matmul_flops"] + linear
    assert 1e6 * token == pytest.approx(TERMS.token)
    square = 1e6 * flops["attention_per_token_squared"] / figures["attention_flops"]
    assert square == pytest.approx(TERMS.square)
    assert square * figures["small_shard_tokens"] == pytest.approx(TERMS.shard)
    assert 1e6 * flops["head_per_target"] / figures["head_flops"] == pytest.approx(TERMS.target)
    assert (figures["micro_batch_us"], figures["step_us"]) == (TERMS.micro_batch, TERMS.step)
    assert notes == []
    lost, notes = figures_of(replace(TERMS, token=0.0, square=0.0), demand)
    assert "matmul_flops" not in lost and "attention_flops" not in lost
    assert len(notes) == 1


DEMAND = {
    "flops": {
        "body_per_token": 3e6,
        "head_per_target": 5e5,
        "attention_per_token": 1000.0,
        "attention_per_token_squared": 1536.0,
    },
    "bytes": {"per_token": 8000.0, "per_target": 2000.0},
}


def token_time(figures: dict) -> float:
    """us, of products, of norms and activations, and of attention's own part."""
    own = 1e6 * DEMAND["flops"]["body_per_token"] / figures["matmul_flops"]
    own += 1e6 * DEMAND["flops"]["attention_per_token"] / figures["attention_flops"]
    return own + 1e6 * DEMAND["bytes"]["per_token"] / figures["elementwise_bytes_per_second"]


def test_products_by_themselves_leave_the_rest_of_a_token_to_norms_and_activations() -> None:
    figures, notes = figures_of(TERMS, DEMAND, products_flops=3e6 / 12e-6)
    assert notes == []
    assert figures["matmul_flops"] == pytest.approx(3e6 / 12e-6)
    assert token_time(figures) == pytest.approx(TERMS.token)
    target = 5e5 / figures["head_flops"] + 2000 / figures["elementwise_bytes_per_second"]
    assert 1e6 * target == pytest.approx(TERMS.target)
    # A correction knows the bandwidth, and fits the products.
    again, _ = figures_of(TERMS, DEMAND, bandwidth=figures["elementwise_bytes_per_second"])
    assert again == pytest.approx(figures)


def test_what_cannot_be_told_apart_stays_together() -> None:
    together, _ = figures_of(TERMS, DEMAND)
    slow_products, _ = figures_of(TERMS, DEMAND, products_flops=3e6 / 25e-6)
    assert slow_products == together
    # Memory so slow that a target would have no time left for its products.
    slow_memory, notes = figures_of(TERMS, DEMAND, bandwidth=2000 / 9.5e-6)
    assert slow_memory == together
    assert any("told apart" in note for note in notes)
    before = {"flops": DEMAND["flops"]}
    assert figures_of(TERMS, before, products_flops=3e6 / 12e-6)[0] == together


def test_the_least_time_of_a_micro_batch_is_a_figure_where_there_is_one() -> None:
    assert "micro_batch_least_us" not in figures_of(TERMS, DEMAND)[0]
    assert figures_of(HOST_BOUND, DEMAND)[0]["micro_batch_least_us"] == HOST_BOUND.least


def table(ranks: int, nodes: int, start: float, slope: float) -> Table:
    """Times of ``start`` us and ``slope`` us a megabyte; of an all-to-all twice as much."""
    megabytes = [0.001, 1.0, 1000.0]
    times = [start + slope * size for size in megabytes]
    return {
        "ranks": ranks,
        "nodes": nodes,
        "megabytes": megabytes,
        "all_gather_us": times,
        "reduce_scatter_us": times,
        "all_to_all_us": [2 * own for own in times],
    }


def test_a_network_is_what_a_ring_brings_into_a_node() -> None:
    # Of 2 nodes with 8 ranks each, half of the whole comes in over 8 cards of 25 GB/s.
    megabyte = 1e12 * (1 / 2) / 8 / 25e9
    inside, across = table(8, 1, 10.0, 3.0), table(16, 2, 40.0, megabyte)
    network = network_of([inside, across])
    assert network is not None
    assert network["network_bytes_per_second"] == pytest.approx(25e9)
    assert network["crossing_factor"] == pytest.approx(4.0, rel=1e-3)
    # Of 4 nodes three quarters.
    wide = network_of([inside, table(32, 4, 40.0, 1.5 * megabyte), across])
    assert wide is not None
    assert wide["network_bytes_per_second"] == pytest.approx(25e9)
    # No message is faster between nodes than inside of one.
    quick = network_of([inside, table(16, 2, 5.0, megabyte)])
    assert quick is not None and quick["crossing_factor"] == 1


def test_a_corrected_profile_keeps_what_steps_say_nothing_about() -> None:
    head = {"format_version", "name", "gpu", "precision"}
    fitted = set(Figures.__annotations__) | {"zero_included"}
    assert set(KEPT) == set(Profile.__annotations__) - head - fitted


def test_a_network_needs_groups_on_both_sides() -> None:
    assert network_of([]) is None
    assert network_of([table(8, 1, 10.0, 3.0)]) is None
    assert network_of([table(16, 2, 10.0, 3.0)]) is None


def test_zero_overlaps_what_the_fixed_cost_is_too_short_for() -> None:
    table = {"ranks": 4, "nodes": 1, "megabytes": [1.0, 100.0]}
    times = {"all_gather_us": [100.0, 1000.0], "reduce_scatter_us": [200.0, 2000.0]}
    tables = [{**table, **times, "all_to_all_us": [1.0, 2.0]}]
    setting = {"ranks": 4, "parameters": 50_000_000, "trained": 50_000_000, "gradients": "bf16"}
    terms = replace(TERMS, micro_batch=500.0)

    def overlap(stage: int, own: Terms = terms, **changes) -> float | None:
        return zero_overlap(own, tables, {**setting, "stage": stage, **changes}, "bf16")

    # A scatter of 100 MB takes 2 ms, and two gathers 1 ms each.
    assert overlap(2) == pytest.approx(1 - 500 / 2000)
    assert overlap(3) == pytest.approx(1 - 500 / 4000)
    assert overlap(1) is None
    assert overlap(2, ranks=8) is None
    assert overlap(2, replace(terms, micro_batch=3000.0)) == 0
    assert overlap(2, replace(terms, micro_batch=50_000.0)) is None
    # Adapters have the gradients; gathers are of all weights, theirs too.
    adapted = {"trained": 500_000}
    assert overlap(3, **adapted) == pytest.approx(1 - 500 / (200 + 2 * 1010))


@pytest.mark.parametrize(("reduction", "stage"), [("every-micro-batch", 2), ("once", 1)])
def test_stage_2_that_reduces_once_communicates_as_stage_1(reduction: str, stage: int) -> None:
    plan = {
        "topology": {"zero_stage": 2},
        "training": {"reduction": reduction, "gradients": "fp32"},
        "model": {"shape": {"parameters": 300}, "precision": "bf16"},
        "memory": {},
    }
    included = {"stage": stage, "ranks": 4, "parameters": 300, "trained": 300, "offload": "none"}
    assert zero_included(plan, 4) == {**included, "gradients": "fp32"}
    del plan["training"]["gradients"]  # compiled before there was a choice
    assert zero_included(plan, 4) == {**included, "gradients": "bf16"}
    plan["model"]["lora"] = {"parameters": 7}
    plan["memory"]["offload"] = "optimizer"
    changed = {"trained": 7, "offload": "optimizer", "gradients": "bf16"}
    assert zero_included(plan, 4) == {**included, **changed}


def test_ranks_correlate_as_spearman_s() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 4000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(0.9487, abs=1e-4)
    assert rank_correlation([5, 5], [1, 2]) is None


def test_errors_are_relative_to_what_was_measured() -> None:
    errors = Errors.of(np.array([90.0, 110.0, 300.0]), [100.0, 100.0, 200.0])
    assert (errors.median, errors.bias) == pytest.approx((0.1, 0.1))


def test_the_activation_factor_is_of_the_rows_that_it_scales() -> None:
    rows = {"activations": 60, "gathered": 7, "model-ends": 10, "fragmentation": 4}
    per_token = [{"id": own, "bytes": bytes_} for own, bytes_ in rows.items()]
    per_token += [
        {"id": "layer-at-work", "bytes": 40, "phase": "layers"},
        {"id": "model-ends", "bytes": 500, "phase": "loss"},
    ]
    plan = {
        "memory": {"per_token": per_token},
        "hardware": {"figures": {"activation_factor": 2.0}},
    }
    assert factor_of(160.0, plan) == 3.0  # 10 of them are not scaled


def test_planned_bytes_are_those_of_the_fullest_moment() -> None:
    memory = {
        "fixed": [
            {"id": "weights", "bytes": 1000},
            {"id": "context", "bytes": 77},
            {"id": "logits", "bytes": 300, "phase": "loss"},
            {"id": "step", "bytes": 900, "phase": "step"},
        ],
        "per_token": [
            {"id": "activations", "bytes": 10},
            {"id": "layer-at-work", "bytes": 8, "phase": "layers"},
            {"id": "gathered", "bytes": 6, "phase": "attention", "most": 50},
            {"id": "fragmentation", "bytes": 1},
        ],
    }
    assert planned_bytes(memory, 10, 0) == 1000 + 900  # the optimizer steps without activations
    assert planned_bytes(memory, 65, 0) == 1000 + 65 * 18
    assert planned_bytes(memory, 100, 0) == 1000 + 100 * 18
    assert planned_bytes(memory, 100, 100, states=False) == 100 * 18
    tight = {
        **memory,
        "per_token": [*memory["per_token"][:1], *memory["per_token"][2:3]],
        "fixed": [],
    }
    assert planned_bytes(tight, 100, 4, states=False) == 100 * 10 + 24
    assert planned_bytes(tight, 100, 90, states=False) == 100 * 10 + 50
