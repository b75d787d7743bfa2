"""Step batches, made ahead in a process of their own: no step waits for scheduling, tokenising or packing."""

from __future__ import annotations

import os
from collections.abc import Iterator

from torch.utils.data import DataLoader, Dataset

from .collate import StepBatch, collate
from .config import SchedulingConfig
from .data import SampleIndex
from .planned import PlannedSchedules
from .sampler import GlobalBatch, ScheduledBatchSampler, schedule_batch
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

        return StepBatch(
            step=batch.step,
            epoch=batch.epoch,
            micro_batches=collate(schedule, self.rank, lengths, tokens_of),
            samples=batch.samples,
            tokens=sum(lengths),
            supervised=sum(self.index.supervised[sample] for sample in batch.samples),
            predicted_seconds=schedule["iteration_time"] / 1e6,
        )


def step_batches(dataset: StepDataset, sampler: ScheduledBatchSampler) -> Iterator[StepBatch]:
    """Step batches in order, made by a worker process that stays two steps in front."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return iter(DataLoader(dataset, batch_size=None, sampler=sampler, num_workers=1))
