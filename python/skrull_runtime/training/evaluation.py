"""Evaluation: held-out samples go through the same scheduler, so evaluation runs the code that trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..batches.feed import StepDataset, StepFeed
from ..batches.sampler import GlobalBatch
from ..guarding import place
from ..model.groups import GroupTable
from ..process.stop_request import StopRequest
from .step import Trainer

INDEX_FILE = "evaluation_index.json"


@dataclass(frozen=True)
class EvaluationBatches:
    """The samples in order, a global batch at a time."""

    samples: int
    global_batch: int

    def __iter__(self) -> Iterator[GlobalBatch]:
        for step, first in enumerate(range(0, self.samples, self.global_batch)):
            last = min(first + self.global_batch, self.samples)
            yield GlobalBatch(step, 0, list(range(first, last)))

    def __len__(self) -> int:
        return -(-self.samples // self.global_batch)


class Evaluation:
    """Held-out samples and how often to evaluate them. Must be made before the process group, as it starts a worker."""

    def __init__(self, dataset: StepDataset, every: int, timeout: float = 0.0):
        self.index, self.every = dataset.index, every
        self._targets = sum(self.index.supervised)
        self._batches = EvaluationBatches(len(self.index), dataset.scheduling.global_batch)
        self._feed = StepFeed(dataset, timeout)

    def is_due(self, steps: int, last: bool) -> bool:
        """Whether to evaluate after ``steps`` trained steps: every ``every`` steps, and after the last."""
        return last or (self.every > 0 and steps % self.every == 0)

    def loss(self, trainer: Trainer, groups: GroupTable, stop: StopRequest) -> float | None:
        """The mean loss of a target token, over all held-out samples; the same on all ranks. None if the run is asked to
        stop: whoever asks does not wait long."""
        total = 0.0
        for batch in self._feed.batches(self._batches):
            place.at(f"evaluation batch {batch.step}")
            total += trainer.evaluate(batch, groups)
            if stop.agreed(trainer.device):
                return None
        return total / max(1, self._targets)
