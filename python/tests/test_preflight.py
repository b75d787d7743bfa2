"""What is tried before the first step is what the run will ask for, and no more."""

from __future__ import annotations

import random
from collections.abc import Sequence

import tiny

from skrull_runtime.batches.sampler import GlobalBatch, ScheduledBatchSampler, schedule_batch
from skrull_runtime.training.preflight import MOST_SAMPLES, MOST_SEQUENCES, choose


def chosen(
    lengths: list[int], steps: int | None = None, context: int = 2, limits: Sequence[int] = ()
):
    """The choice for a run over these lengths, and all micro-batches of the run: tokens of a rank, longest sequence."""
    config = tiny.scheduling(4, context, "auto")
    sampler = ScheduledBatchSampler(lengths, config, steps)
    choice = choose(sampler, lengths, lambda batch: schedule_batch(batch, lengths, config), limits)
    found = []
    for batch in sampler:
        for entry in schedule_batch(batch, lengths, config)["micro_batches"]:
            held = [0] * 4
            for place in entry["placements"]:
                length, degree = lengths[batch.samples[place["sequence"]]], place["degree"]
                for rank in range(place["first_rank"], place["first_rank"] + degree):
                    held[rank] += length if degree == 1 else 2 * -(-length // (2 * degree))
            sequences = [lengths[batch.samples[place["sequence"]]] for place in entry["placements"]]
            found.append((max(held), max(sequences, default=0)))
    return choice, found


def test_the_fullest_and_the_longest_of_the_run_are_tried():
    source = random.Random(3)
    lengths = [source.randrange(10, 120) for _ in range(60)] + [500, 260]
    for steps in (None, 3, 9):
        choice, found = chosen(lengths, steps)
        fullest, widest = choice.trials[0], choice.trials[-1]
        assert fullest.tokens == max(tokens for tokens, _ in found)
        assert widest.longest == max(longest for _, longest in found)
        assert choice.steps == (steps or 4)


def test_the_fullest_of_those_that_recompute_less_is_tried_too():
    source = random.Random(3)
    lengths = [source.randrange(10, 120) for _ in range(60)] + [500, 260]
    limits = (100, 200, 250)
    choice, found = chosen(lengths, limits=limits)
    tried = [trial.tokens for trial in choice.trials]
    for limit in limits:
        below = [tokens for tokens, _ in found if tokens <= limit]
        assert (max(below) in tried) if below else (min(tried) > limit)
    assert tried[0] == max(tokens for tokens, _ in found)
    places = [(trial.batch.step, trial.index) for trial in choice.trials]
    assert len(set(places)) == len(places)


def test_nothing_is_tried_that_no_step_has():
    choice, found = chosen([30] * 20, context=1)
    (trial,) = choice.trials
    assert (trial.tokens, trial.longest) in found
    assert trial.tokens <= 120 < tiny.scheduling(4, 1, "auto").bucket


def test_the_search_is_bounded_however_long_the_run():
    asked = []

    def schedule_of(batch: GlobalBatch) -> dict:
        asked.append(len(batch.samples))
        placements = [
            {"sequence": k, "first_rank": 0, "degree": 1} for k in range(len(batch.samples))
        ]
        return {"micro_batches": [{"index": 0, "placements": placements}]}

    def batches(size: int):
        step = 0
        while True:
            yield GlobalBatch(step, 0, list(range(size)))
            step += 1

    for size in (1, 1000, MOST_SAMPLES + 1):
        asked.clear()
        choice = choose(batches(size), [5] * size, schedule_of)
        assert choice.steps == max(1, MOST_SAMPLES // size)
        assert sum(asked) <= max(MOST_SEQUENCES, 2 * size)
