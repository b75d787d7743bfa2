"""What to try before the first step: the most demanding micro-batches of the run itself, so that it fails there and not
later."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
import torch.distributed as dist

from ..batches.collate import StepBatch
from ..batches.sampler import GlobalBatch, ScheduledBatchSampler
from ..model.groups import GroupTable
from .prepare import Prepared
from .step import Trainer

MOST_SAMPLES = 200_000  # whose lengths are looked at: well under a second
MOST_SCHEDULED = 8  # global batches, to find their fullest micro-batch
MOST_SEQUENCES = 4096  # in all of these: some 100 ms

Schedule = dict[str, Any]


@dataclass(frozen=True)
class Trial:
    """A micro-batch of a global batch, and what is largest about it."""

    batch: GlobalBatch
    index: int
    tokens: int  # of the rank that has most
    longest: int  # tokens of its longest sequence

    @property
    def place(self) -> str:
        """For messages."""
        return f"step {self.batch.step}"


@dataclass(frozen=True)
class Choice:
    """Micro-batches to try, and what they were chosen from."""

    trials: list[Trial]  # the fullest; the one with the longest sequence, if that is another
    steps: int  # whose lengths were looked at


def choose(
    batches: Iterable[GlobalBatch],
    lengths: list[int],
    schedule_of: Callable[[GlobalBatch], Schedule],
) -> Choice:
    """The fullest micro-batch and the one with the longest sequence, of the first of these global batches.

    All ranks choose alike. Of the batches looked at, those with most tokens are scheduled, and the one with the longest
    sequence: a micro-batch of another one may be fuller by what the others leave free of their buckets.
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
    fullest = max(trials, key=lambda trial: (trial.tokens, trial.longest))
    widest = max(trials, key=lambda trial: (trial.longest, trial.tokens))
    return Choice([fullest] if fullest == widest else [fullest, widest], len(looked))


@dataclass(frozen=True)
class Preflight:
    """Micro-batches to try, with their tensors on this rank."""

    choice: Choice
    batches: list[StepBatch]  # one a trial
    steps: int  # that the run has left

    @classmethod
    def of(cls, sampler: ScheduledBatchSampler, prepared: Prepared) -> Preflight | None:
        """Of the steps that are left; None where there are none. Raises UserError where a sample cannot be read."""
        if len(sampler) <= 0:
            return None
        dataset = prepared.dataset
        choice = choose(sampler, dataset.index.lengths, dataset.schedule_of)
        batches = prepared.feed.batches([trial.batch for trial in choice.trials])
        return cls(choice, list(batches), len(sampler))

    def run(self, trainer: Trainer, groups: GroupTable) -> None:
        """Tries them, with a line before and after. Raises RuntimeError where memory does not suffice."""
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
        fullest, widest = self.choice.trials[0], self.choice.trials[-1]
        most = f"the fullest micro-batch ({fullest.tokens} tokens on a rank, {fullest.place})"
        longest = f"the longest sequence ({widest.longest} tokens, {widest.place})"
        every = self.choice.steps == self.steps
        steps = f"{self.steps} steps" if every else f"the first {self.choice.steps} steps"
        return f"{most} and {longest} of {steps}"


def _say(text: str) -> None:
    if dist.get_rank() == 0:
        print(text, flush=True)


def _first(batches: Iterable[GlobalBatch], most: int) -> list[GlobalBatch]:
    """So many that they have no more samples than that, but one at least."""
    taken, samples = [], 0
    for batch in batches:
        samples += len(batch.samples)
        if taken and samples > most:
            break
        taken.append(batch)
    return taken


def _trials_of(batch: GlobalBatch, lengths: list[int], schedule: Schedule) -> list[Trial]:
    own = [lengths[sample] for sample in batch.samples]
    return [
        Trial(batch, index, _fullest_rank(placements), max(own[p["sequence"]] for p in placements))
        for index, placements in _placed(schedule, own)
    ]


def _placed(schedule: Schedule, lengths: list[int]) -> Iterable[tuple[int, list[dict[str, int]]]]:
    """Micro-batches that have sequences; every placement with its tokens on each rank of its group."""
    for entry in schedule["micro_batches"]:
        if entry["placements"]:
            yield (
                entry["index"],
                [
                    placement
                    | {"tokens": _shard(lengths[placement["sequence"]], placement["degree"])}
                    for placement in entry["placements"]
                ],
            )


def _shard(length: int, degree: int) -> int:
    """Tokens on a rank, padding included; see layout.py."""
    return length if degree == 1 else 2 * -(-length // (2 * degree))


def _fullest_rank(placements: list[dict[str, int]]) -> int:
    """Tokens on the rank that has most: groups begin and end where it changes."""
    edges: dict[int, int] = {}
    for placement in placements:
        first, last = placement["first_rank"], placement["first_rank"] + placement["degree"]
        edges[first] = edges.get(first, 0) + placement["tokens"]
        edges[last] = edges.get(last, 0) - placement["tokens"]
    held = most = 0
    for rank in sorted(edges):
        held += edges[rank]
        most = max(most, held)
    return most
