"""What a device reaches by itself: of products in a model's own shapes, and of memory."""

from __future__ import annotations

import types
from collections import Counter
from typing import Any, cast

import pytest
import torch
from torch import nn

from skrull_runtime.profiling import measure
from skrull_runtime.profiling.devices import products, rates, timing
from skrull_runtime.profiling.devices.products import products_flops, shapes_of
from skrull_runtime.profiling.rank import device_rates as of_rank
from skrull_runtime.profiling.rank import host_adam

CPU = torch.device("cpu")
# Of one rank.
GROUP = types.SimpleNamespace(
    barrier=lambda: None, all_reduce=lambda *_, **__: None, ReduceOp=types.SimpleNamespace(MAX=0)
)


class Model(nn.Module):
    """Two layers and a head, which is not part of them."""

    def __init__(self):
        super().__init__()
        layer = [nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 4)]
        self.layers = nn.ModuleList(nn.Sequential(*layer) for _ in range(2))
        self.head = nn.Linear(4, 100)


def test_shapes_are_those_of_the_layers() -> None:
    model = Model()
    # Both layers are made of the same modules, of 64 parameters.
    assert shapes_of(model, 6 * 64.0) == Counter({(4, 8, True): 1, (8, 4, True): 1})
    model.layers[0][0].weight.requires_grad_(False)
    assert shapes_of(model, 6 * 64.0)[4, 8, False] == 1


@pytest.mark.parametrize("flops", [3.8 * 64, 8.3 * 64, 100 * 64.0])
def test_a_body_that_is_not_made_of_them_has_none(flops: float) -> None:
    assert shapes_of(Model(), flops) == Counter()


def test_flops_are_of_the_forward_and_the_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = []

    def timed(work, device, repeats):
        rows.append(work())
        return 0.5

    monkeypatch.setattr(products, "median_seconds", timed)
    shapes = Counter({(4, 8, True): 2, (4, 8, False): 1})
    reached = products_flops(shapes, 10, torch.float32, CPU, 1)
    assert reached == (2 * 3 + 2) * 2 * 10 * 4 * 8 / 1.5
    # The gradients of inputs, and of weights that are trained.
    assert [len(gradients) for gradients in rows] == [2, 1]
    assert rows[0][1].shape == (8, 4) and float(rows[0][1][0, 0]) == 10
    assert products_flops(Counter(), 10, torch.float32, CPU, 1) is None


def test_a_copy_reads_and_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "median_seconds", lambda work, device, repeats: 0.25)
    assert rates.memory_bandwidth(CPU, 1) == 2 * 2**26 / 0.25
    assert rates.host_link(CPU, 1) is None


def test_ranks_step_on_the_processors_of_a_node_together(monkeypatch: pytest.MonkeyPatch) -> None:
    stepped = []

    def timed(work, device, repeats):
        stepped.append(work.__self__)
        work()
        return 0.5

    monkeypatch.setattr(host_adam, "median_seconds", timed)
    assert host_adam.host_adam_parameters(CPU, 4, 1, stepped=100) == 4 * 100 / 0.5
    (optimizer,) = stepped
    (parameter,) = optimizer.param_groups[0]["params"]
    # It was a step in earnest, of all elements, and none moved.
    assert set(optimizer.state[parameter]) >= {"exp_avg", "exp_avg_sq"}
    assert optimizer.state[parameter]["exp_avg"].ne(0).all()
    assert parameter.eq(0).all()


@pytest.mark.parametrize(
    ("kind", "of_node", "figures"),
    [
        ("cpu", 4, {"memory_bandwidth"}),
        ("cuda", None, {"memory_bandwidth", "host_link"}),
        ("cuda", 4, {"memory_bandwidth", "host_link", "host_adam_parameters"}),
    ],
)
def test_a_profile_has_the_figures_that_there_are(
    monkeypatch: pytest.MonkeyPatch, kind: str, of_node: int | None, figures: set[str]
) -> None:
    monkeypatch.setattr(of_rank, "products_flops", lambda *_: 5.0)
    monkeypatch.setattr(of_rank, "memory_bandwidth", lambda *_: 6.0)
    monkeypatch.setattr(of_rank, "host_link", lambda *_: 7.0 if kind == "cuda" else None)
    monkeypatch.setattr(of_rank, "host_adam_parameters", lambda device, ranks, repeats: 2.0 * ranks)
    run: Any = types.SimpleNamespace(
        config=types.SimpleNamespace(model=types.SimpleNamespace(precision="bf16")),
        plan={"demand": {"flops": {"body_per_token": 6 * 64.0}}},
        scheduling=types.SimpleNamespace(bucket=64),
    )
    trainer = types.SimpleNamespace(device=torch.device(kind), model=Model())
    rates = of_rank.device_rates(run, cast(Any, types.SimpleNamespace(trainer=trainer)), of_node)
    assert rates.products_flops == 5.0
    assert set(rates.figures) == figures
    assert rates.figures.get("host_adam_parameters", 8.0) == 8.0


def test_the_median_counts_and_the_first_time_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 5, 10, 11, 20, 22])
    monkeypatch.setattr(timing.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr(timing, "dist", GROUP)
    calls = []
    assert timing.median_seconds(lambda: calls.append(1), CPU, 3) == 2
    assert len(calls) == 4


@pytest.mark.parametrize(("limit", "rounds"), [(1000.0, 3), (25.0, 2), (19.0, 1), (0.0, 1)])
def test_no_round_begins_that_would_end_too_late(
    monkeypatch: pytest.MonkeyPatch, limit: float, rounds: int
) -> None:
    passed = [0.0]

    class Timer(measure.StepTimer):
        def __init__(self):
            self._clock = lambda: passed[0]
            self.trainer = types.SimpleNamespace(device=CPU)

        def seconds(self, batch) -> float:
            passed[0] += 1
            measured.append(batch)
            return 1.0

    measured: list = []
    monkeypatch.setattr(measure, "dist", GROUP)
    batches = [types.SimpleNamespace(lengths=[n]) for n in range(9)]
    Timer().medians(batches, 3, limit)
    # The longest step goes first, once, to prepare the machine.
    assert measured[0] is batches[-1]
    assert len(measured) == 1 + 9 * rounds
