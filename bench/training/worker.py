"""One rank of one method of the benchmark, told through stdin how many steps to train.

    RANK=0 WORLD_SIZE=2 ... python worker.py METHOD RUN_FOLDER

METHOD is ``ulysses`` or ``scheduled`` (the policy is the run's). Each line of stdin is a number of steps; for each
comes a line of JSON on file descriptor 3. Waiting ranks use no time of a core.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Generator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
from ranks import TIMEOUT_SECONDS, Run, ds_config, keep_to_a_core, load_run, peak_bytes, plain_model
from ulysses import StepDataset as PartsDataset
from ulysses import UlyssesTrainer

from skrull_runtime.batches.feed import StepDataset, StepFeed
from skrull_runtime.batches.sampler import GlobalBatch, ScheduledBatchSampler, schedule_batch
from skrull_runtime.data.filling import StoreFilling
from skrull_runtime.model.build import build_model
from skrull_runtime.model.groups import GroupTable
from skrull_runtime.training.end import end_together
from skrull_runtime.training.optimizer import build_optimizer
from skrull_runtime.training.start import own_rank, start_process_group
from skrull_runtime.training.step import Trainer


class Trained(NamedTuple):
    """One step that was trained; seconds on this rank."""

    epoch: int
    loss: float
    tokens: int
    micro_batches: int
    seconds: float  # with the wait
    waited: float  # for the step's batch
    made: float  # what the worker process took to schedule, read and pack it
    predicted: float


def feed_of(method: str, run: Run) -> StepFeed:
    """What makes this rank's steps ahead; to be started before the process group."""
    rank, ranks = own_rank()
    filling = StoreFilling(run.index, run.folder)
    filling.fill(rank, ranks)
    if method == "ulysses":
        return StepFeed(PartsDataset(run.index, run.folder, ranks, rank))
    return StepFeed(StepDataset(run.index, run.scheduling, rank, filling))


def ulysses(run: Run, feed: StepFeed, device: torch.device) -> Generator[Trained, None, None]:
    """Trains the run's global batches as DeepSpeed users do today."""
    model = plain_model(run, "sdpa")
    optimizer = build_optimizer(model.parameters(), run.config.train.optimizer, device)
    trainer = UlyssesTrainer(model, optimizer, ds_config(run))
    sampler = sampler_of(run)
    batches = feed.batches(sampler)
    for _ in range(sampler.total_steps):
        started = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - started
        loss = trainer.step(batch)
        synchronize(device)
        seconds = time.perf_counter() - started
        yield Trained(0, loss, batch.tokens, len(batch.parts), seconds, waited, 0.0, 0.0)


def scheduled(run: Run, feed: StepFeed, device: torch.device) -> Generator[Trained, None, None]:
    """Trains the run with the runtime, by the policy that it was compiled with."""
    model = build_model(run.config.model, run.folder, None, run.config.train.seed)
    trainer = Trainer(model, ds_config(run), run.config.model, run.config.train)
    groups = GroupTable(timedelta(seconds=run.config.train.timeout_seconds))
    sampler = sampler_of(run)
    batches = feed.batches(sampler)
    for _ in range(sampler.total_steps):
        started = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - started
        loss = trainer.step(batch, groups).loss
        synchronize(device)
        seconds = time.perf_counter() - started
        yield Trained(
            batch.epoch,
            loss,
            batch.tokens,
            len(batch.micro_batches),
            seconds,
            waited,
            batch.scheduling_seconds,
            batch.predicted_seconds,
        )


def synchronize(device: torch.device) -> None:
    """Waits until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def sampler_of(run: Run) -> ScheduledBatchSampler:
    """The run's global batches: of all epochs, the same for every method."""
    return ScheduledBatchSampler(run.index.lengths, run.scheduling, run.config.train.total_steps)


def scheduling_seconds(run: Run, batch: GlobalBatch) -> float:
    """What scheduling alone takes of a global batch's ``made``."""
    started = time.perf_counter()
    schedule_batch(batch, run.index.lengths, run.scheduling)
    return time.perf_counter() - started


def train(
    training: Generator[Trained, None, None],
    batches: Iterator[GlobalBatch],
    run: Run,
    count: int,
) -> list[dict[str, float]]:
    """Trains that many steps. Scheduling is timed once they are done: in between it would give the feed a rest."""
    steps = [next(training)._asdict() for _ in range(count)]
    taken = [scheduling_seconds(run, next(batches)) for _ in steps]
    return [{**step, "scheduled": seconds} for step, seconds in zip(steps, taken, strict=True)]


def main() -> None:
    """Trains as many steps as each line of stdin says."""
    method, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    with os.fdopen(3, "w") as results:
        keep_to_a_core()
        run = load_run(folder)
        feed = feed_of(method, run)
        device = start_process_group(TIMEOUT_SECONDS)
        training = {"ulysses": ulysses, "scheduled": scheduled}[method](run, feed, device)
        batches = iter(sampler_of(run))
        for line in sys.stdin:
            dist.barrier()  # both ranks have been told
            steps = train(training, batches, run, int(line))
            result = {"steps": steps, "peak_bytes": peak_bytes(device)}
            results.write(json.dumps(result) + "\n")
            results.flush()
        training.close()
        dist.barrier()
        end_together()


if __name__ == "__main__":
    main()
