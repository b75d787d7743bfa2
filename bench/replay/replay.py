"""The work of every rank of a run's schedules, one after another on one device; collectives are added as planned.

    python replay.py profile RUN_FOLDER PROFILE.json      # the machine's figures, for the plan
    python replay.py replay RUN_FOLDER RESULT.json BATCHES REPEATS

Forward, backward and optimizer are the runtime's own, as if on each rank: its local and sharded sequences, its part of
what ZeRO shares out. Only what travels between ranks is not measured here.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from world import OwnGroups, PeakMemory, TimedTrainer, clock, start

from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.batches.feed import make_step_batch
from skrull_runtime.batches.sampler import GlobalBatch, ScheduledBatchSampler
from skrull_runtime.config import problem_of
from skrull_runtime.data.tokens import Tokens
from skrull_runtime.model.build import build_model
from skrull_runtime.profiling.features import Batch
from skrull_runtime.profiling.figures import figures_of
from skrull_runtime.profiling.fit import Errors, fit_terms, predict
from skrull_runtime.profiling.measure import MOST_TOKEN_ID, StepTimer, spread_targets
from skrull_runtime.profiling.memory import planned_bytes
from skrull_runtime.profiling.profile_file import write_profile
from skrull_runtime.profiling.rank.device_rates import DeviceRates, device_rates
from skrull_runtime.profiling.recipes import designed_batches
from skrull_runtime.profiling.run_folder import RunFolder
from skrull_runtime.scheduling import POLICIES as SCHEDULERS
from skrull_runtime.scheduling import communication_of, parse_problem, schedule
from skrull_runtime.scheduling.cost import work_of
from skrull_runtime.scheduling.forecast import predicted_us
from skrull_runtime.scheduling.replay import FILE as PLANNED_FILE
from skrull_runtime.scheduling.replay import PlannedSchedules
from skrull_runtime.training.start import DEEPSPEED_FILE

POLICIES = ("deepspeed", "packed", "skrull-paper", "auto")
OBSERVATIONS, REPEATS = 36, 3  # of the profile


def profile(run: RunFolder, out: Path) -> None:
    """Fits the machine's figures to steps of one rank among as many as the run has."""
    designed = designed_batches(OBSERVATIONS, run.scheduling, run.lengths)
    timer = StepTimer(run, run.scheduling, clock)
    times = timer.medians(designed, REPEATS)
    figures, errors, notes = profile_of(run, designed, times, own_rates(run, timer))
    print(
        f"{errors.steps} steps fitted with a median error of {errors.median:.1%}", *notes, sep="; "
    )
    write_profile(out, figures)


def own_rates(run: RunFolder, timer: StepTimer) -> DeviceRates:
    """Of the device. What all ranks of a node reach together on its processors, one process cannot tell."""
    return device_rates(run, timer, ranks_of_node=None)


def profile_of(
    run: RunFolder, designed: list[Batch], times: list[float], device: DeviceRates
) -> tuple[dict[str, Any], Errors, list[str]]:
    """A profile, how far it is off, and what could not be told, from times in us. Collectives cost nothing here, so it
    leaves them to the catalogue, and none of its costs includes any."""

    def free(degree: int, tokens: int) -> float:
        return 0.0

    terms = fit_terms(designed, times, run.scheduling, free)
    errors = Errors.of(predict(terms, designed, run.scheduling, free), times)
    figures, notes = figures_of(terms, run.plan["demand"], device.products_flops)
    machine = {"name": "bench:replay", "gpu": run.plan["topology"]["gpu"]}
    precision = run.config.model.precision
    head = {"format_version": 1, **machine, "precision": precision}
    return {**head, **figures, **device.figures}, errors, notes


@dataclass(frozen=True)
class Sequences:
    """A global batch of the run, with random tokens of the right number."""

    batch: GlobalBatch
    tokens: list[Tokens]
    lengths: list[int]
    targets: list[int]

    @classmethod
    def of(cls, run: RunFolder, batch: GlobalBatch, vocabulary: int) -> Sequences:
        """The lengths and targets of the data; ids do not change what anything costs."""
        source = np.random.default_rng(batch.step)
        lengths = [run.lengths[sample] for sample in batch.samples]
        targets = [run.supervised[sample] for sample in batch.samples]
        tokens = []
        for length, own in zip(lengths, targets, strict=True):
            ids = source.integers(min(MOST_TOKEN_ID, vocabulary), size=length)
            tokens.append(Tokens(ids, np.array(spread_targets(ids.tolist(), own))))
        return cls(batch, tokens, lengths, targets)


class Schedules:
    """A policy's schedules: those of the run that was compiled for it, where only the compiler schedules by it."""

    def __init__(self, run: RunFolder, policy: str):
        self.config = replace(run.scheduling, policy=policy)
        self.planned = None
        if policy not in SCHEDULERS:
            file = run.path.with_name(f"{run.path.name}-{policy}") / PLANNED_FILE
            self.planned = PlannedSchedules(file, run.lengths, self.config)

    def of(self, sequences: Sequences) -> dict[str, Any]:
        """Of a global batch."""
        if self.planned is not None:
            return self.planned.schedule(sequences.batch.step, sequences.lengths)
        return schedule(problem_of(self.config, sequences.lengths))


class Replay:
    """One policy on one global batch: the steps of all ranks, each as often as it is run."""

    def __init__(self, sequences: Sequences, schedules: Schedules, zero: tuple[float, float]):
        self.sequences, self.config = sequences, schedules.config
        self.zero = zero  # communication of the weights, seconds a micro-batch and a step
        self.problem = parse_problem(problem_of(self.config, sequences.lengths))
        self.schedule = schedules.of(sequences)
        ranks = range(self.problem.ranks)
        self.spans: list[list[list[float]]] = [  # [micro-batch][rank][repeat], seconds
            [[] for _ in ranks] for _ in self.schedule["micro_batches"]
        ]
        self.rest: list[float] = []  # of a step: the optimizer
        self.peak = 0
        self.fullest = (0, 0)  # tokens, and sharded ones, of the rank and micro-batch with most

    def run(
        self,
        rank: int,
        trainer: TimedTrainer,
        groups: OwnGroups,
        memory: PeakMemory | None,
        counts: bool,
    ) -> None:
        """The whole step of one rank, with its memory looked at if there is where; whether its times count."""
        sequences = self.sequences
        lengths, targets, tokens = sequences.lengths, sequences.targets, sequences.tokens
        step = make_step_batch(
            sequences.batch, self.schedule, lengths, targets, self.config, rank, tokens.__getitem__
        )
        if memory is not None:
            memory.reset()
        spans, rest = trainer.timed(step, groups)
        if memory is not None:
            self._look(step, memory)
        if counts:
            self.rest.append(rest)
            for index, span in enumerate(spans):
                self.spans[index][rank].append(span)

    def _look(self, step: StepBatch, memory: PeakMemory) -> None:
        self.peak = max(self.peak, memory.peak())
        for layout in (micro_batch.layout for micro_batch in step.micro_batches):
            sharded = sum(group.tokens for group in layout.groups)
            self.fullest = max(self.fullest, (sum(layout.local) + sharded, sharded))

    def seconds(self) -> float:
        """The step on all ranks: every group waits for its slowest rank, and as the objective says for others."""
        pool = self.config.degrees == "pool"
        size = self.problem.ranks if pool else self.config.context_parallel
        cells = []
        for index in range(len(self.spans)):
            times = [sum(self.parts(index, rank)) for rank in range(self.problem.ranks)]
            firsts = range(0, len(times), size)
            cells.append([max(times[first : first + size]) + self.zero[0] for first in firsts])
        if self.config.objective == "lockstep":
            total = sum(max(row) for row in cells)
        else:
            total = max(sum(row) for row in zip(*cells, strict=True))
        return total + statistics.median(self.rest) + self.zero[1]

    def parts(self, index: int, rank: int) -> tuple[float, float]:
        """Measured seconds of a rank in a micro-batch, and the communication that its local sequences do not hide: the
        planned one less their part of the time, which is their part of the planned work."""
        measured = statistics.median(self.spans[index][rank])
        lengths, problem = self.sequences.lengths, self.problem
        local = total = 0.0
        groups: dict[tuple[int, int], int] = {}
        for own in self.schedule["micro_batches"][index]["placements"]:
            length, degree, first = lengths[own["sequence"]], own["degree"], own["first_rank"]
            if not first <= rank < first + degree:
                continue
            work = work_of(length, degree, problem)
            total += work
            if degree == 1:
                local += work
            else:
                groups[degree, first] = groups.get((degree, first), 0) + length
        traffic = sum(communication_of(own, degree, problem) for (degree, _), own in groups.items())
        hidden = measured * local / total if total else 0.0
        return measured, max(0.0, traffic / 1e6 - hidden)

    def result(self, plan: dict[str, Any]) -> dict[str, Any]:
        """Its figures, seconds and bytes."""
        ranks = range(self.problem.ranks)
        parts = [[self.parts(index, rank) for index in range(len(self.spans))] for rank in ranks]
        sequences = self.sequences
        predicted = predicted_us(self.schedule, self.config, sequences.lengths, sequences.targets)
        return {
            "micro_batches": len(self.spans),
            "seconds": self.seconds(),
            "predicted_seconds": predicted / 1e6,
            # Of the ranks together: what they computed, and exposed communication.
            "computed": sum(measured for own in parts for measured, _ in own),
            "waited": sum(exposed for own in parts for _, exposed in own),
            "peak_bytes": self.peak,
            "predicted_bytes": planned_bytes(plan["memory"], *self.fullest),
        }


def zero_seconds(run: RunFolder) -> tuple[float, float]:
    """What ZeRO communicates a micro-batch and a step, as planned."""
    zero = run.plan["step"]["zero_us"]
    return zero["micro_batch"] / 1e6, zero["step"] / 1e6


def replay(run: RunFolder, out: Path, batches: int, repeats: int) -> None:
    """Replays, and writes the results."""
    results = replayed(run, batches, repeats)
    out.write_text(json.dumps({"device": device_name(), "policies": results}))


def replayed(
    run: RunFolder,
    batches: int,
    repeats: int,
    allows: Callable[[str, float], bool] = lambda what, seconds: True,
) -> dict[str, list[dict[str, Any]]]:
    """Every policy on the run's first global batches, rank by rank; policies take turns. ``allows`` says whether there is
    time for something that may take so many seconds; where there is not, batches without times are left out, and where no
    batch has all, policies without."""
    config, scheduling = run.config, run.scheduling
    memory = PeakMemory(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    model_config = replace(config.model, weights="random", source=None, source_kind=None)
    model = build_model(model_config, run.path, None, config.train.seed)
    ds_config = json.loads((run.path / DEEPSPEED_FILE).read_bytes())
    train = replace(config.train, optimizer={**config.train.optimizer, "lr": 0.0})
    trainer, groups = TimedTrainer(model, ds_config, model_config, train), OwnGroups()
    sampler = ScheduledBatchSampler(run.lengths, scheduling, batches)
    zero = zero_seconds(run)
    drawn = [Sequences.of(run, batch, model.config.vocab_size) for batch in sampler]
    replays = {
        policy: [Replay(own, schedules, zero) for own in drawn]
        for policy, schedules in ((policy, Schedules(run, policy)) for policy in POLICIES)
    }
    taken: dict[tuple[str, int], float] = {}
    for turn, batch, policy in _turns(batches, repeats):
        if not allows(
            f"turn {turn} of {repeats}, batch {batch}, {policy}", taken.get((policy, batch), 0.0)
        ):
            break
        started = time.monotonic()
        _run_ranks(replays[policy][batch], turn, trainer, groups, memory)
        taken[policy, batch] = time.monotonic() - started
        print(f"turn {turn} of {repeats}, batch {batch}, {policy}", file=sys.stderr, flush=True)
    timed = [n for n in range(batches) if all(replays[policy][n].rest for policy in POLICIES)]
    return {
        policy: [own[n].result(run.plan) for n in timed or [0]]
        for policy, own in replays.items()
        if timed or own[0].rest
    }


def _turns(batches: int, repeats: int) -> Iterator[tuple[int, int, str]]:
    """The first turn warms up."""
    for turn in range(1 + repeats):
        first = turn % len(POLICIES)
        for batch in range(batches):
            for policy in POLICIES[first:] + POLICIES[:first]:
                yield turn, batch, policy


def _run_ranks(
    own: Replay, turn: int, trainer: TimedTrainer, groups: OwnGroups, memory: PeakMemory
) -> None:
    """Every rank; to warm up a GPU, one. A look at its memory takes no time there, so that every turn has one."""
    gpu = torch.cuda.is_available()
    for rank in range(1 if gpu and turn == 0 else own.problem.ranks):
        own.run(rank, trainer, groups, memory if gpu or turn == 0 else None, turn > 0)


def device_name() -> str:
    """For people."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "one CPU core"


def main() -> None:
    """See above."""
    what, folder, out, *numbers = sys.argv[1:]
    run = RunFolder(Path(folder))
    start(run.scheduling.data_parallel * run.scheduling.context_parallel)
    if what == "profile":
        profile(run, Path(out))
    else:
        replay(run, Path(out), *map(int, numbers))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
