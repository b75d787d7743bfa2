"""What to try before the first step: the most demanding micro-batches of the run itself, so that the run fails there and
not later."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
import torch.distributed as dist

from ..batches.collate import StepBatch
from ..batches.sampler import GlobalBatch, ScheduledBatchSampler
from ..config import ModelConfig
from ..model.groups import GroupTable
from ..scheduling import Schedule
from ..scheduling.summary import fullest_rank
from .prepare import Prepared
from .step import Trainer

MOST_SAMPLES = 200_000  # whose lengths are compared: well under a second
MOST_SCHEDULED = 8  # global batches that are scheduled to find their fullest micro-batch
MOST_SEQUENCES = 4096  # in all of these: some 100 ms


@dataclass(frozen=True)
class Trial:
    """A micro-batch of a global batch, and what is largest about it."""

    batch: GlobalBatch
    index: int
    tokens: int  # of the fullest rank
    longest: int  # tokens of its longest sequence

    @property
    def place(self) -> str:
        """The step of the trial, for messages."""
        return f"step {self.batch.step}"


@dataclass(frozen=True)
class Choice:
    """Micro-batches to try, and from how many steps they were chosen."""

    # The fullest, and those of the micro-batches that recompute less; the one with the longest sequence if that is another.
    trials: list[Trial]
    steps: int  # whose lengths were compared


def choose(
    batches: Iterable[GlobalBatch],
    lengths: Sequence[int],
    schedule_of: Callable[[GlobalBatch], Schedule],
    limits: Sequence[int] = (),
) -> Choice:
    """The fullest micro-batch and the one with the longest sequence, among the first of these global batches. ``lengths``
    are the tokens of all samples. Micro-batches of up to each of ``limits`` tokens keep what larger ones recompute, so that
    the fullest of them is tried too.

    All ranks choose alike. Only the batches with the most tokens and the one with the longest sequence are scheduled: a
    micro-batch of another batch may be fuller by what these leave free in their buckets.
    """
    looked = _first(batches, MOST_SAMPLES)

    def longest_in(batch: GlobalBatch) -> int:
        return max(lengths[sample] for sample in batch.samples)

    def tokens_of(batch: GlobalBatch) -> int:
        return sum(lengths[sample] for sample in batch.samples)

    longest = max(looked, key=longest_in)
    heaviest = _first(heapq.nlargest(MOST_SCHEDULED, looked, key=tokens_of), MOST_SEQUENCES)
    trials = [
        trial
        for batch in {batch.step: batch for batch in chain([longest], heaviest)}.values()
        for trial in _trials_of(batch, lengths, schedule_of(batch))
    ]

    def fullest(trials: list[Trial]) -> Trial:
        return max(trials, key=lambda trial: (trial.tokens, trial.longest))

    below = [[trial for trial in trials if trial.tokens <= limit] for limit in limits]
    widest = max(trials, key=lambda trial: (trial.longest, trial.tokens))
    chosen = [fullest(trials), *(fullest(own) for own in below if own), widest]
    return Choice(list({(own.batch.step, own.index): own for own in chosen}.values()), len(looked))


@dataclass(frozen=True)
class Preflight:
    """Micro-batches to try, with their tensors on this rank."""

    choice: Choice
    batches: list[StepBatch]  # one a trial
    steps: int  # left in the run

    @classmethod
    def of(
        cls, sampler: ScheduledBatchSampler, prepared: Prepared, model: ModelConfig
    ) -> Preflight | None:
        """The pre-flight of the remaining steps; None if there are none. Raises UserError where a sample cannot be read."""
        if len(sampler) <= 0:
            return None
        dataset = prepared.dataset
        limits = [entry["tokens"] for entry in model.lighter_checkpointing]
        choice = choose(sampler, dataset.index.lengths, dataset.schedule_of, limits)
        batches = prepared.feed.batches([trial.batch for trial in choice.trials])
        return cls(choice, list(batches), len(sampler))

    def run(self, trainer: Trainer, groups: GroupTable) -> None:
        """Tries them, and prints a line before and after. Raises UserError where memory does not suffice."""
        started = time.perf_counter()
        _say(f"pre-flight: trying {self._described()}")
        for trial, batch in zip(self.choice.trials, self.batches, strict=True):
            trainer.try_out(batch, trial.index, groups)
        peak = ""
        if trainer.device.type == "cuda":
            peak = (
                f", {torch.cuda.max_memory_allocated(trainer.device) / 2**30:.1f} GiB at the peak"
            )
        _say(f"pre-flight: passed in {time.perf_counter() - started:.1f} s{peak}")

    def _described(self) -> str:
        fullest = self.choice.trials[0]
        widest = max(self.choice.trials, key=lambda trial: trial.longest)
        most = f"the fullest micro-batch ({fullest.tokens} tokens on a rank, {fullest.place})"
        longest = f"the longest sequence ({widest.longest} tokens, {widest.place})"
        every = self.choice.steps == self.steps
        steps = f"{self.steps} steps" if every else f"the first {self.choice.steps} steps"
        return f"{most} and {longest} of {steps}"


def _say(text: str) -> None:
    if dist.get_rank() == 0:
        print(text, flush=True)


def _first(batches: Iterable[GlobalBatch], most: int) -> list[GlobalBatch]:
    """The first batches with at most that many samples together, but at least one batch."""
    taken: list[GlobalBatch] = []
    samples = 0
    for batch in batches:
        samples += len(batch.samples)
        if taken and samples > most:
            break
        taken.append(batch)
    return taken


def _trials_of(batch: GlobalBatch, lengths: Sequence[int], schedule: Schedule) -> Iterator[Trial]:
    """One of every micro-batch that has sequences."""
    own = [lengths[sample] for sample in batch.samples]
    for entry in schedule["micro_batches"]:
        placements = entry["placements"]
        if placements:
            longest = max(own[placement["sequence"]] for placement in placements)
            yield Trial(batch, entry["index"], fullest_rank(placements, own), longest)
