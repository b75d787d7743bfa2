"""Step batches, made ahead in a process of their own: no step waits for scheduling, tokenising or packing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from torch.utils.data import DataLoader, Dataset

from .agreement import digest_of
from .collate import StepBatch, collate
from .config import SchedulingConfig
from .data import SampleIndex
from .figures import figures_of
from .forecast import predicted_us
from .planned import PlannedSchedules
from .sampler import GlobalBatch, schedule_batch
from .tokenization import Encode, Tokens, load_encoder


class StepDataset(Dataset[StepBatch]):
    """The step batch of a rank for each global batch."""

    def __init__(
        self,
        index: SampleIndex,
        scheduling: SchedulingConfig,
        rank: int,
        tokenizer: str,
        planned: PlannedSchedules | None = None,
    ):
        self.index, self.scheduling, self.rank, self.tokenizer = index, scheduling, rank, tokenizer
        self.planned = planned
        self._encode: Encode | None = None

    def __getitem__(self, batch: GlobalBatch) -> StepBatch:
        started = time.perf_counter()
        if self._encode is None:
            self._encode = load_encoder(self.tokenizer)
        encode = self._encode
        lengths = [self.index.lengths[sample] for sample in batch.samples]
        if self.planned is not None:
            schedule = self.planned.schedule(batch.step)
        else:
            schedule = schedule_batch(batch, self.index.lengths, self.scheduling)

        def tokens_of(k: int) -> Tokens:
            return self.index.tokens(batch.samples[k], encode)

        targets = [self.index.supervised[sample] for sample in batch.samples]
        made = make_step_batch(
            batch, schedule, lengths, targets, self.scheduling, self.rank, tokens_of
        )
        return replace(made, scheduling_seconds=time.perf_counter() - started)


def make_step_batch(
    batch: GlobalBatch,
    schedule: dict[str, Any],
    lengths: list[int],
    targets: list[int],
    config: SchedulingConfig,
    rank: int,
    tokens_of: Callable[[int], Tokens],
) -> StepBatch:
    """A rank's part of a global batch under a schedule. Sequence k of the schedule has ``lengths[k]`` tokens, of which
    ``targets[k]`` are targets of the loss."""
    placements = [entry["placements"] for entry in schedule["micro_batches"]]
    return StepBatch(
        step=batch.step,
        epoch=batch.epoch,
        micro_batches=collate(schedule, rank, lengths, tokens_of),
        samples=batch.samples,
        tokens=sum(lengths),
        supervised=sum(targets),
        predicted_seconds=predicted_us(schedule, config, lengths, targets) / 1e6,
        degrees=sorted({placement["degree"] for own in placements for placement in own}),
        schedule_digest=digest_of(batch, placements),
        figures=figures_of(schedule, lengths, config),
    )


def step_batches(dataset: StepDataset, sampler: Iterable[GlobalBatch]) -> Iterator[StepBatch]:
    """Step batches in order, made by a worker process that stays two steps in front."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return iter(DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=1))
