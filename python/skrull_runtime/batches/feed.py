"""Step batches, made ahead in a process of their own, so that no step waits for scheduling, tokenising or packing."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset

from ..config import SchedulingConfig, identity_of
from ..data.filling import StoreFilling
from ..data.index import SampleIndex
from ..data.tokens import SampleTokens, Tokens
from ..guarding import guard
from ..process.agreement import Problem, attempted, digest_of
from ..scheduling import Schedule
from ..scheduling.forecast import predicted_us
from ..scheduling.replay import PlannedSchedules
from ..scheduling.summary import figures_of
from .collate import StepBatch, collate
from .sampler import GlobalBatch, schedule_batch
from .sharing import SharedSchedules


class StepDataset(Dataset[StepBatch]):
    """The step batches of a rank, by global batch."""

    def __init__(
        self,
        index: SampleIndex,
        scheduling: SchedulingConfig,
        rank: int,
        filling: StoreFilling,
        planned: PlannedSchedules | None = None,
        windows: Sequence[int] = (),
    ):
        self.index, self.scheduling, self.rank = index, scheduling, rank
        self.planned, self.windows = planned, windows
        self._filling = filling
        self._tokens: SampleTokens | None = None
        self._shared = SharedSchedules.of_node()

    def schedule_of(self, batch: GlobalBatch) -> Schedule:
        """The planned schedule, or one that is made now. Raises UserError where the planned one is not valid."""
        if self.planned is None:
            name = digest_of(batch.samples, identity_of(self.scheduling))
            return self._shared.get(
                name, lambda: schedule_batch(batch, self.index.lengths, self.scheduling)
            )
        return self.planned.schedule(
            batch.step, [self.index.lengths[sample] for sample in batch.samples]
        )

    def __getitem__(self, batch: GlobalBatch) -> StepBatch:
        if self._tokens is None:  # in the worker process
            self._tokens = SampleTokens(self.index, self._filling)
        source, started = self._tokens, time.perf_counter()
        lengths = [self.index.lengths[sample] for sample in batch.samples]
        schedule = self.schedule_of(batch)

        def tokens_of(k: int) -> Tokens:
            return source.tokens(batch.samples[k])

        targets = [self.index.supervised[sample] for sample in batch.samples]
        made = make_step_batch(
            batch, schedule, lengths, targets, self.scheduling, self.rank, tokens_of, self.windows
        )
        return replace(made, scheduling_seconds=time.perf_counter() - started)


def make_step_batch(
    batch: GlobalBatch,
    schedule: Schedule,
    lengths: list[int],
    targets: list[int],
    config: SchedulingConfig,
    rank: int,
    tokens_of: Callable[[int], Tokens],
    windows: Sequence[int] = (),
) -> StepBatch:
    """A rank's part of a global batch under a schedule. Sequence k of the schedule has ``lengths[k]`` tokens, of which
    ``targets[k]`` are targets of the loss."""
    placements = [entry["placements"] for entry in schedule["micro_batches"]]
    return StepBatch(
        step=batch.step,
        epoch=batch.epoch,
        micro_batches=collate(schedule, rank, lengths, tokens_of, windows),
        samples=batch.samples,
        tokens=sum(lengths),
        supervised=sum(targets),
        predicted_seconds=predicted_us(schedule, config, lengths, targets) / 1e6,
        degrees=sorted({placement["degree"] for own in placements for placement in own}),
        schedule_digest=digest_of(batch, placements),
        figures=figures_of(schedule, lengths, config),
        schedule={"micro_batches": schedule["micro_batches"]} if rank == 0 else None,
    )


# torch ends the worker of a loader that nobody refers to, and the guard would take that for a failure.
_kept: list[DataLoader[Any]] = []


class StepFeed:
    """A worker process that makes a rank's step batches. It starts here, and waits to be told what to make.

    It must be started before the process group: a fork copies the locks that other threads hold at that moment, and in
    the copy nobody ever releases them. Threads of gloo and NCCL even hold the interpreter's own lock.
    """

    def __init__(self, dataset: Dataset[StepBatch], timeout: float = 0.0):
        """``timeout``: seconds within which a batch must be made; 0 for no limit."""
        assert not dist.is_initialized(), "a worker forked now may never wake up"
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self._wanted = _Wanted()
        self._loader = DataLoader(
            _Reporting(dataset),
            batch_size=None,
            sampler=self._wanted,
            num_workers=1,
            worker_init_fn=_prepare_worker,
            timeout=timeout,
            persistent_workers=True,
            generator=torch.Generator(),  # otherwise it draws from the model's random numbers
        )
        before = multiprocessing.active_children()
        iter(self._loader)  # over nothing yet, which starts the worker
        guard.need_workers(set(multiprocessing.active_children()) - set(before))
        _kept.append(self._loader)

    def batches(self, sampler: Iterable[GlobalBatch]) -> Iterator[StepBatch]:
        """Step batches in order; from now on the worker stays two steps ahead. Only one iterator may be in use at a time.

        The iterator raises UserError or FaultElsewhere where the worker could not make a batch, and RuntimeError where
        the worker has ended or is too slow.
        """
        self._wanted.batches = sampler
        return map(_sound, iter(self._loader))


class _Wanted:
    """The batches to make, which are not known yet when the worker starts."""

    batches: Iterable[GlobalBatch] = ()

    def __iter__(self) -> Iterator[GlobalBatch]:
        return iter(self.batches)


class _Reporting(Dataset[Any]):
    """The same batches, with a Problem in place of one that cannot be made: torch would pass an exception on as text."""

    def __init__(self, dataset: Dataset[Any]):
        self._dataset = dataset

    def __getitem__(self, batch: Any) -> Any:
        made, problem = attempted(lambda: self._dataset[batch])
        return made if problem is None else problem


def _sound(made: Any) -> Any:
    if isinstance(made, Problem):
        raise made.error(primary=True)
    return made


def _prepare_worker(_: int) -> None:
    """Makes a worker end with its rank, neither before nor after."""
    # Schedulers and terminals send these to all processes: the rank responds, and may still train and save.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_rank, daemon=True).start()


def _end_with_the_rank() -> None:
    """For a rank that is killed. Left alone, a worker would wait forever for somebody to read its batches."""
    rank = multiprocessing.parent_process()
    if rank is not None:
        rank.join()
        os._exit(1)


def stop_workers() -> None:
    """Ends the workers, which wait for more to make: nothing else would end them, and the exit would wait for them."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # or torch reports their end as an error
    for worker in multiprocessing.active_children():
        worker.kill()
        worker.join(10)  # a disk that does not respond keeps it from ending
