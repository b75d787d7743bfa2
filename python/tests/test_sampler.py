"""Global batches, layouts and collation."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import tiny
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler
from transformers import get_wsd_schedule

from skrull_runtime.batches.collate import collate
from skrull_runtime.batches.layout import layout_of
from skrull_runtime.batches.sampler import GlobalBatch, ScheduledBatchSampler, schedule_batch
from skrull_runtime.config import SchedulingConfig
from skrull_runtime.data.tokens import IGNORED, Tokens
from skrull_runtime.errors import UserError
from skrull_runtime.training.optimizer import learning_rate


def config(data_parallel: int, context: int, global_batch: int = 10) -> SchedulingConfig:
    comm = {} if context == 1 else {str(context): [1.0, 1.0, 0.1]}
    cost = {"a1": 1.0, "a2": 0.01, "comm": comm}
    sizes = (data_parallel, context, 200 * 4 // context)
    return SchedulingConfig(
        *sizes, "zigzag", cost, "auto", "local-or-all", "lockstep", global_batch, 3
    )


def test_global_batches_do_not_depend_on_the_topology():
    one = list(ScheduledBatchSampler([5] * 47, config(1, 1), 12))
    other = list(ScheduledBatchSampler([5] * 47, config(4, 2), 12))
    assert one == other


def test_every_sample_comes_once_an_epoch_and_the_last_smaller_batch_is_kept():
    batches = list(ScheduledBatchSampler([5] * 47, config(1, 1), 10))
    assert [len(batch.samples) for batch in batches] == [10, 10, 10, 10, 7] * 2
    for epoch in (0, 1):
        samples = [sample for batch in batches if batch.epoch == epoch for sample in batch.samples]
        assert sorted(samples) == list(range(47))


def mixed(*shares: list[int]) -> ScheduledBatchSampler:
    """A sampler over two epochs of a mixture."""
    samples = sum(count for count, _ in shares)
    setting = replace(config(1, 1, 4), mixture=list(shares))
    steps = -(-sum(draws for _, draws in shares) // 4)
    return ScheduledBatchSampler([5] * samples, setting, 2 * steps)


def test_weights_draw_samples_as_often_as_they_say():
    drawn = Counter(
        (batch.epoch, sample) for batch in mixed([6, 3], [5, 12]) for sample in batch.samples
    )
    for epoch in (0, 1):
        halves = [drawn[epoch, sample] for sample in range(6)]
        assert sorted(halves) == [0, 0, 0, 1, 1, 1]
        doubles = [drawn[epoch, sample] for sample in range(6, 11)]
        assert sorted(doubles) == [2, 2, 2, 3, 3]
    assert all(drawn[0, sample] + drawn[1, sample] == 1 for sample in range(6)), "in turns"


def test_a_mixture_resumes_only_as_itself():
    whole = list(mixed([6, 3], [5, 12]))
    sampler = mixed([6, 3], [5, 12])
    sampler.trained(4)
    state = json.loads(json.dumps(sampler.state_dict()))
    again = mixed([6, 3], [5, 12])
    again.load_state_dict(state)
    assert list(again) == whole[5:]
    with pytest.raises(UserError, match=r"mixture was .*, now it is"):
        mixed([6, 3], [5, 11]).load_state_dict(state)
    without = ScheduledBatchSampler([5] * 11, config(1, 1, 4), 10)
    with pytest.raises(UserError, match=r"mixture was .*, now it is \[\]"):
        without.load_state_dict(state)
    with pytest.raises(UserError, match=r"mixture was \[\], now it is"):
        mixed([6, 3], [5, 12]).load_state_dict(without.state_dict())
    with pytest.raises(UserError, match="is of 11 samples, there are 3"):
        ScheduledBatchSampler([5] * 3, replace(config(1, 1), mixture=[[6, 3], [5, 12]]))


@pytest.mark.parametrize("trained", [0, 3, 4, 7, 9])
def test_resuming_goes_on_where_it_stopped(trained: int):
    whole = list(ScheduledBatchSampler([5] * 47, config(1, 1), 10))
    first = ScheduledBatchSampler([5] * 47, config(1, 1), 10)
    first.trained(trained)
    second = ScheduledBatchSampler([5] * 47, config(2, 2), 10)
    second.load_state_dict(first.state_dict())
    assert list(second) == whole[trained + 1 :]


def test_resuming_with_other_batches_is_refused():
    state = ScheduledBatchSampler([5] * 47, config(1, 1), 10).state_dict()
    with pytest.raises(UserError, match="global batch was 10, now it is 12"):
        ScheduledBatchSampler([5] * 47, config(1, 1, 12), 10).load_state_dict(state)


@pytest.mark.parametrize(("data_parallel", "context"), [(1, 1), (2, 2), (1, 4), (2, 3)])
def test_ranks_together_hold_every_token_once_with_its_label_and_position(
    data_parallel: int, context: int
):
    source = random.Random(7)
    data = []
    for length in [source.randrange(1, 60) for _ in range(20)] + [190, 377]:
        ids = [source.randrange(1, 900) for _ in range(length)]
        data.append(Tokens(ids, [*ids[1:], IGNORED]))
    lengths = [len(tokens.ids) for tokens in data]
    chosen = [k for k in range(len(data)) if lengths[k] <= 200 or context > 1]
    setting = config(data_parallel, context)
    schedule = schedule_batch(GlobalBatch(0, 0, chosen), lengths, setting)
    own = [lengths[k] for k in chosen]
    seen: dict[tuple[int, int], tuple[int, int]] = {}
    counts = set()
    for rank in range(data_parallel * context):
        micro_batches = collate(schedule, rank, own, lambda k: data[chosen[k]])
        counts.add(len(micro_batches))
        for batch in micro_batches:
            assert batch.input_ids.shape == batch.labels.shape == batch.position_ids.shape
            assert batch.input_ids.shape[1] <= setting.bucket
            columns = (batch.sequence_ids, batch.position_ids, batch.input_ids, batch.labels)
            for sequence, position, token, label in torch.cat(columns).T.tolist():
                if sequence < 0:
                    assert label == IGNORED
                    continue
                assert (sequence, position) not in seen
                seen[sequence, position] = (token, label)
    assert counts == {len(schedule["micro_batches"])}
    assert len(seen) == sum(own)
    for (sequence, position), found in seen.items():
        tokens = data[chosen[sequence]]
        assert found == (tokens.ids[position], tokens.labels[position])


def test_a_rank_without_sequences_gets_one_dummy_token_and_no_group():
    layout = layout_of([{"sequence": 0, "first_rank": 0, "degree": 2}], 3, [10])
    assert (layout.local, layout.groups) == ((1,), ())


def test_learning_rates():
    settings = {"type": "linear", "warmup_steps": 2}
    rates = [learning_rate(step, 6, 3.0, settings) for step in range(6)]
    assert rates == pytest.approx([1.0, 2.0, 3.0, 2.25, 1.5, 0.75])
    assert learning_rate(5, 6, 3.0, {"type": "constant", "warmup_steps": 0}) == 3.0
    assert learning_rate(3, 6, 2.0, {"type": "cosine", "warmup_steps": 0}) == pytest.approx(1.0)


def test_learning_rates_fall_to_their_share_of_the_peak():
    settings = {"type": "linear", "warmup_steps": 2, "min_ratio": 0.5}
    rates = [learning_rate(step, 6, 4.0, settings) for step in range(6)]
    assert rates == pytest.approx([4 / 3, 8 / 3, 4.0, 3.5, 3.0, 2.5])
    cosine = {"type": "cosine", "warmup_steps": 0, "min_ratio": 0.1}
    assert learning_rate(3, 6, 2.0, cosine) == pytest.approx(1.1)


def test_a_stable_learning_rate_falls_at_the_end_only():
    settings = {"type": "warmup-stable-decay", "warmup_steps": 2, "decay_steps": 4}
    rates = [learning_rate(step, 10, 4.0, settings) for step in range(10)]
    assert rates == pytest.approx([4 / 3, 8 / 3, 4, 4, 4, 4, 4, 3, 2, 1])
    settings["min_ratio"] = 0.5
    assert learning_rate(9, 10, 4.0, settings) == pytest.approx(2.5)


@pytest.mark.parametrize("lowest", [0.0, 0.1])
def test_rates_are_those_of_the_libraries_once_they_are_up(lowest: float):
    warmup, steps, decay = 3, 20, 5

    def ours(kind: str) -> list[float]:
        settings = {"type": kind, "warmup_steps": warmup, "min_ratio": lowest, "decay_steps": decay}
        return [learning_rate(step, steps, 3.0, settings) for step in range(warmup, steps)]

    def theirs(make: Callable[[torch.optim.Optimizer], LRScheduler], first: int = 0) -> list[float]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=3.0)
        scheduler, rates = make(optimizer), []
        for _ in range(first + steps - warmup):
            rates += scheduler.get_last_lr()
            optimizer.step()
            scheduler.step()
        return rates[first:]

    falling = steps - warmup
    assert ours("linear") == pytest.approx(theirs(lambda o: LinearLR(o, 1.0, lowest, falling)))
    cosine = theirs(lambda o: CosineAnnealingLR(o, falling, 3.0 * lowest))
    assert ours("cosine") == pytest.approx(cosine)
    stable = theirs(
        lambda o: get_wsd_schedule(
            o, warmup, decay, steps, decay_type="linear", min_lr_ratio=lowest
        ),
        warmup,
    )
    assert ours("warmup-stable-decay") == pytest.approx(stable)


def test_the_tiny_batches_are_of_real_shape():
    lengths = sorted(len(tokens.ids) for tokens in tiny.samples())
    assert lengths[-1] > 20 * lengths[len(lengths) // 2]
