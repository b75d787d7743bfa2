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
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from ranks import Run, ds_config, load_run, peak_bytes, plain_model, start
from ulysses import StepDataset as PartsDataset
from ulysses import UlyssesTrainer, steps_of

from skrull_runtime.collate import StepBatch
from skrull_runtime.feed import StepDataset, step_batches
from skrull_runtime.groups import GroupTable
from skrull_runtime.model import build_model
from skrull_runtime.optimizer import build_optimizer
from skrull_runtime.sampler import GlobalBatch, ScheduledBatchSampler, schedule_batch
from skrull_runtime.scheduling import class_degrees
from skrull_runtime.trainer import Trainer


class Trained(NamedTuple):
    """One step that was trained; seconds on this rank."""

    loss: float
    tokens: int
    micro_batches: int
    seconds: float  # with the wait
    waited: float  # for the step's batch
    made: float  # what the worker process took to schedule, tokenise and pack it
    scheduled: float  # what scheduling it takes, of that
    predicted: float


class TimedDataset(StepDataset):
    """The runtime's step batches, with the seconds that each took to make."""

    def __getitem__(self, batch: GlobalBatch) -> tuple[StepBatch, float]:
        started = time.perf_counter()
        return super().__getitem__(batch), time.perf_counter() - started


def ulysses(run: Run, device: torch.device) -> Generator[Trained]:
    """Trains the run's global batches as DeepSpeed users do today."""
    model = plain_model(run, "sdpa")
    optimizer = build_optimizer(model.parameters(), run.config.train.optimizer, device)
    trainer = UlyssesTrainer(model, optimizer, ds_config(run))
    sampler = sampler_of(run)
    dataset = PartsDataset(run.index, run.tokenizer, trainer.degree, dist.get_rank())
    batches = steps_of(dataset, sampler)
    for _ in range(sampler.total_steps):
        started = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - started
        loss = trainer.step(batch)
        synchronize(device)
        seconds = time.perf_counter() - started
        yield Trained(loss, batch.tokens, len(batch.parts), seconds, waited, 0.0, 0.0, 0.0)


def scheduled(run: Run, device: torch.device) -> Generator[Trained]:
    """Trains the run with the runtime, by the policy that it was compiled with."""
    model = build_model(run.config.model, run.folder, None, run.config.train.seed)
    trainer = Trainer(model, ds_config(run), run.config.model, run.config.train)
    scheduling = run.scheduling
    degrees = class_degrees(
        scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel
    )
    groups = GroupTable(degrees)
    sampler = sampler_of(run)
    dataset = TimedDataset(run.index, scheduling, dist.get_rank(), run.tokenizer)
    batches: Any = step_batches(dataset, sampler)
    for _ in range(sampler.total_steps):
        started = time.perf_counter()
        batch, made = next(batches)
        waited = time.perf_counter() - started
        loss = trainer.step(batch, groups).loss
        synchronize(device)
        seconds = time.perf_counter() - started
        yield Trained(
            loss,
            batch.tokens,
            len(batch.micro_batches),
            seconds,
            waited,
            made,
            scheduling_seconds(run, batch),
            batch.predicted_seconds,
        )


def synchronize(device: torch.device) -> None:
    """Waits until a GPU has done what it was told."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def sampler_of(run: Run) -> ScheduledBatchSampler:
    """The run's global batches: of all epochs, the same for every method."""
    return ScheduledBatchSampler(run.index.lengths, run.scheduling, run.config.train.total_steps)


def scheduling_seconds(run: Run, batch: StepBatch) -> float:
    """What scheduling this global batch takes, outside of the step's time."""
    started = time.perf_counter()
    schedule_batch(
        GlobalBatch(batch.step, batch.epoch, batch.samples), run.index.lengths, run.scheduling
    )
    return time.perf_counter() - started


def main() -> None:
    """Trains as many steps as each line of stdin says."""
    method, folder = sys.argv[1], Path(sys.argv[2]).resolve()
    with os.fdopen(3, "w") as results:
        device = start()
        training = {"ulysses": ulysses, "scheduled": scheduled}[method](load_run(folder), device)
        for line in sys.stdin:
            dist.barrier()  # both ranks have been told
            steps = [next(training)._asdict() for _ in range(int(line))]
            result = {"steps": steps, "peak_bytes": peak_bytes(device)}
            results.write(json.dumps(result) + "\n")
            results.flush()
        training.close()  # and with it the worker process that makes batches
        dist.barrier()
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
