"""What to try before the first step: the most demanding micro-batches of the run itself, so that the run fails there and
not later."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import torch
import torch.distributed as dist

from ..batches.collate import StepBatch
from ..batches.sampler import GlobalBatch, ScheduledBatchSampler
from ..model.groups import GroupTable
from ..scheduling import Schedule
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

    trials: list[Trial]  # the fullest, and the one with the longest sequence if that is another
    steps: int  # whose lengths were compared


def choose(
    batches: Iterable[GlobalBatch],
    lengths: Sequence[int],
    schedule_of: Callable[[GlobalBatch], Schedule],
) -> Choice:
    """The fullest micro-batch and the one with the longest sequence, among the first of these global batches. ``lengths``
    are the tokens of all samples.

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
    fullest = max(trials, key=lambda trial: (trial.tokens, trial.longest))
    widest = max(trials, key=lambda trial: (trial.longest, trial.tokens))
    return Choice([fullest] if fullest == widest else [fullest, widest], len(looked))


@dataclass(frozen=True)
class Preflight:
    """Micro-batches to try, with their tensors on this rank."""

    choice: Choice
    batches: list[StepBatch]  # one a trial
    steps: int  # left in the run

    @classmethod
    def of(cls, sampler: ScheduledBatchSampler, prepared: Prepared) -> Preflight | None:
        """The pre-flight of the remaining steps; None if there are none. Raises UserError where a sample cannot be read."""
        if len(sampler) <= 0:
            return None
        dataset = prepared.dataset
        choice = choose(sampler, dataset.index.lengths, dataset.schedule_of)
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
    """The first batches with at most that many samples together, but at least one batch."""
    taken: list[GlobalBatch] = []
    samples = 0
    for batch in batches:
        samples += len(batch.samples)
        if taken and samples > most:
            break
        taken.append(batch)
    return taken


class _Placed(NamedTuple):
    """A sequence on the ranks from ``first`` up to ``last``, with its tokens on each of them."""

    length: int
    first: int
    last: int
    tokens: int


def _trials_of(batch: GlobalBatch, lengths: Sequence[int], schedule: Schedule) -> list[Trial]:
    own = [lengths[sample] for sample in batch.samples]
    return [
        Trial(batch, index, _fullest_rank(placed), max(each.length for each in placed))
        for index, placed in _placed(schedule, own)
    ]


def _placed(schedule: Schedule, lengths: list[int]) -> Iterator[tuple[int, list[_Placed]]]:
    """The micro-batches that have sequences, by index."""
    for entry in schedule["micro_batches"]:
        placed = []
        for placement in entry["placements"]:
            length, degree = lengths[placement["sequence"]], placement["degree"]
            first = placement["first_rank"]
            placed.append(_Placed(length, first, first + degree, _shard(length, degree)))
        if placed:
            yield entry["index"], placed


def _shard(length: int, degree: int) -> int:
    """Tokens on a rank, including padding; see layout.py."""
    return length if degree == 1 else 2 * -(-length // (2 * degree))


def _fullest_rank(placed: list[_Placed]) -> int:
    """Tokens on the fullest rank: the number changes only where groups begin and end."""
    edges: dict[int, int] = {}
    for _, first, last, tokens in placed:
        edges[first] = edges.get(first, 0) + tokens
        edges[last] = edges.get(last, 0) - tokens
    held = most = 0
    for rank in sorted(edges):
        held += edges[rank]
        most = max(most, held)
    return most
