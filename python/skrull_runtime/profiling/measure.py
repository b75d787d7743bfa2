"""Times of whole optimizer steps on the path that training takes."""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import torch
import torch.distributed as dist

from ..batches.collate import StepBatch
from ..batches.feed import make_step_batch
from ..batches.sampler import GlobalBatch
from ..config import SchedulingConfig
from ..data.tokens import IGNORED, Tokens
from ..model.build import base_of, build_model
from ..model.groups import GroupTable
from ..scheduling import class_degrees
from ..training.start import DEEPSPEED_FILE
from ..training.step import Trainer
from .features import Batch
from .run_folder import RunFolder

# Random ids stay below it: every vocabulary has them, and costs do not depend on ids.
MOST_TOKEN_ID = 1000


class StepTimer:
    """Times steps with a run's trainer, without training: the learning rate is zero."""

    def __init__(
        self,
        run: RunFolder,
        scheduling: SchedulingConfig,
        clock: Callable[[], float] = time.perf_counter,
    ):
        config = run.config
        # Where a run's weights lie elsewhere, random ones of the same shape take the same time.
        model_config = replace(config.model, weights="random", source=None, source_kind=None)
        ds_config = json.loads((run.path / DEEPSPEED_FILE).read_bytes())
        model = build_model(model_config, run.path, None, config.train.seed, ds_config)
        self.vocabulary: int = base_of(model).config.vocab_size
        optimizer = config.train.optimizer.copy()
        optimizer["lr"] = 0.0
        train = replace(config.train, optimizer=optimizer)
        self.trainer = Trainer(model, ds_config, model_config, train)
        self.scheduling, self._clock = scheduling, clock
        self.degrees = class_degrees(
            scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel
        )
        self.groups = GroupTable(timedelta(seconds=train.timeout_seconds))
        self.groups.prepare(self.degrees)

    def seconds(self, batch: Batch) -> float:
        """The time of one step in seconds, on the slowest rank. Collective."""
        step = self._step_batch(batch)
        dist.barrier()
        self._synchronize()
        started = self._clock()
        self.trainer.step(step, self.groups)
        self._synchronize()
        own = torch.tensor(self._clock() - started, device=self.trainer.device)
        dist.all_reduce(own, op=dist.ReduceOp.MAX)
        return float(own.item())

    def medians(self, batches: list[Batch], repeats: int, limit: float = math.inf) -> list[float]:
        """The median time of each step in us; measured in rounds over all of them, so that a slow moment does not affect only
        one. No round but the first begins that would end beyond ``limit`` seconds. Collective."""
        started = self._clock()
        self.seconds(max(batches, key=lambda batch: sum(batch.lengths)))  # memory and kernels
        rounds: list[list[float]] = []
        for n in range(repeats):
            if n and self._elapsed(started) * (n + 1) / n > limit:
                break
            rounds.append([self.seconds(batch) for batch in batches])
        return [1e6 * statistics.median(times) for times in zip(*rounds, strict=True)]

    def _elapsed(self, started: float) -> float:
        """Seconds since then, the same on all ranks."""
        elapsed = torch.tensor(self._clock() - started, device=self.trainer.device)
        dist.all_reduce(elapsed, op=dist.ReduceOp.MAX)
        return float(elapsed.item())

    def _synchronize(self) -> None:
        if self.trainer.device.type == "cuda":
            torch.cuda.synchronize(self.trainer.device)

    def _step_batch(self, batch: Batch) -> StepBatch:
        source = random.Random(1)
        limit = min(MOST_TOKEN_ID, self.vocabulary)

        def tokens_of(k: int) -> Tokens:
            length, targets = batch.lengths[k], batch.targets[k]
            ids = [source.randrange(limit) for _ in range(length)]
            return Tokens(ids, spread_targets(ids, targets))

        everything = GlobalBatch(0, 0, [*range(len(batch.lengths))])
        return make_step_batch(
            everything,
            batch.schedule,
            batch.lengths,
            batch.targets,
            self.scheduling,
            dist.get_rank(),
            tokens_of,
        )


def spread_targets(ids: list[int], targets: int) -> list[int]:
    """Labels with that many targets, evenly spaced, so that every shard of a sequence has its share."""
    length = len(ids)
    return [
        token if (n + 1) * targets // length > n * targets // length else IGNORED
        for n, token in enumerate(ids)
    ]
