"""The parts of bench:roofline that its figures hang on: work of attention, memory, roofline times, layers left out."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench/roofline"))

from charge import Cost, Gpu
from ledger import KEPT, WEIGHTS, Ledger
from meter import Meter, Tally
from standin import seen
from wire import Links

GPU = Gpu("any", peak_flops=1e12, bandwidth=1e9)


def test_attention_works_on_the_pairs_that_it_sees():
    for queries, more, window in itertools.product(range(1, 7), range(6), [None, *range(1, 14)]):
        keys = queries + more
        pairs = sum(min(window or keys, more + n + 1) for n in range(queries))
        assert seen(queries, keys, window) == pairs


def test_time_is_of_the_slowest_resource():
    assert GPU.seconds(Cost(launches=0)) == 0
    assert GPU.seconds(Cost()) == pytest.approx(2e-6)
    assert GPU.seconds(Cost(flops=7e11)) == pytest.approx(1.0)
    assert GPU.seconds(Cost(flops=4e11, attention=True)) == pytest.approx(1.0)
    assert GPU.seconds(Cost(flops=1e9, read=6 * 10**8, written=2 * 10**8)) == pytest.approx(1.0)


def test_peak_is_of_live_tensors_and_without_weights():
    ledger = Ledger()
    weight, kept = torch.empty(1000, dtype=torch.int8), torch.empty(10, dtype=torch.int8)
    ledger.enter(weight, WEIGHTS)
    ledger.enter(kept)
    ledger.is_for(kept, KEPT)
    for _ in range(2):
        made = torch.empty(5, dtype=torch.int8)
        ledger.enter(made)
        ledger.enter(made[1:])
        del made
    assert (ledger.peak, ledger.at_peak) == (15, {WEIGHTS: 1000, KEPT: 10, "transient": 5})


def measured(times: int) -> Tally:
    """Of a product, and as many sums."""
    meter = Meter(GPU)
    with meter.counting():
        row = torch.ones(8, 8) @ torch.ones(8, 8)
        for _ in range(times):
            row = row + row
        row.view(-1).sum().item()
    return meter.take()


def test_operations_are_counted():
    tally = measured(3)
    launches = {name: line.launches for name, line in tally.operations.items()}
    assert launches == {"ones": 2, "mm": 1, "add": 3, "sum": 1}
    assert tally.flops == 2 * 8**3
    assert tally.operations["add"].bytes == 3 * 3 * 256
    assert tally.synchronisations == 1


def test_further_layers_are_as_the_second():
    extended, whole = measured(1).extended(measured(2), 4), measured(5)
    assert extended.operations.keys() == whole.operations.keys()
    assert (extended.launches, extended.bytes) == (whole.launches, whole.bytes)
    assert extended.device_seconds == pytest.approx(whole.device_seconds)
    assert extended.host_seconds == pytest.approx(whole.host_seconds)


def test_a_collective_takes_what_the_plan_has_for_its_size():
    links = Links(8, (2, 4, 8), (1.0, 2.0, 3.0))
    whole = [1e6, 2e6, 3e6, 8e6, 16e6]
    times = [links.time(round(own * 7 / 8)) for own in whole]
    assert times == pytest.approx([1.0, 1.0, 1.5, 3.0, 6.0])
