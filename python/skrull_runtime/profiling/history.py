"""What a run has measured: the lines of its metrics file, and the global batches that they belong to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..batches.sampler import ScheduledBatchSampler, schedule_batch
from ..config import SchedulingConfig
from ..documents import parsed
from ..errors import UserError
from ..scheduling import Schedule
from ..scheduling.forecast import predicted_us
from ..scheduling.replay import FILE as PLANNED_FILE
from ..scheduling.replay import PlannedSchedules, ScheduleMismatch
from .features import Batch
from .run_folder import RunFolder

METRICS_SCHEMA = "metrics.schema.json"


@dataclass(frozen=True)
class MeasuredStep:
    """The part of a line of the metrics file that is about times."""

    step: int
    tokens: int
    supervised_tokens: int
    micro_batches: int
    seconds: float
    predicted_seconds: float
    waited_seconds: float | None = None  # for its batch; None in files of before
    optimizer_seconds: float | None = None  # of ``seconds``, behind the last backward
    disturbed: bool = False  # a first step, or one behind a checkpoint or an evaluation


def measured_steps(path: Path) -> tuple[list[MeasuredStep], int]:
    """The steps of a metrics file by number, and how many lines are not a step: a kill cuts the last line short.

    Of a step that was trained twice, the last time counts; a step without a target was not timed. Raises UserError where
    the file cannot be read or has no step.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}): has the run trained?"
        ) from error
    entries = [_entry(line) for line in lines if line.strip()]
    steps = {entry.step: entry for entry in entries if entry and entry.supervised_tokens > 0}
    if not steps:
        raise UserError(f"{path}: has no measured step")
    return [steps[step] for step in sorted(steps)], entries.count(None)


def _entry(line: str) -> MeasuredStep | None:
    read, _ = parsed(line, METRICS_SCHEMA)
    if read is None:
        return None
    entry = MeasuredStep(
        step=read["step"],
        tokens=read["tokens"],
        supervised_tokens=read["supervised_tokens"],
        micro_batches=read["micro_batches"],
        seconds=float(read["seconds"]),
        predicted_seconds=float(read["predicted_seconds"]),
        waited_seconds=read.get("waited_seconds"),
        optimizer_seconds=read.get("optimizer_seconds"),
        disturbed=read.get("disturbed", False),
    )
    usable = 0 < entry.seconds < 1e9 and 0 < entry.predicted_seconds < 1e9
    return entry if usable else None


def scheduling_of(run: RunFolder, ranks: int | None) -> SchedulingConfig:
    """The run's scheduling for training on ``ranks`` ranks; None stands for those that it was compiled for. Raises UserError
    where they are not a multiple of the CP degree."""
    scheduling = run.scheduling
    if ranks is None:
        return scheduling
    data_parallel, left = divmod(ranks, scheduling.context_parallel)
    if ranks < 1 or left:
        raise UserError(
            f"--ranks {ranks} is not a multiple of the CP degree {scheduling.context_parallel}"
        )
    return replace(scheduling, data_parallel=data_parallel)


def batches_of(
    steps: list[MeasuredStep], run: RunFolder, scheduling: SchedulingConfig
) -> list[Batch]:
    """The global batch of every step, scheduled again as in training.

    Raises UserError where a step was measured on another schedule, for other samples or other ranks.
    """
    wanted = {step.step: step for step in steps}
    sampler = ScheduledBatchSampler(run.lengths, scheduling, steps[-1].step + 1)
    sampler.start_step = steps[0].step
    planned = _planned(run, scheduling)
    batches = []
    for batch in sampler:
        step = wanted.get(batch.step)
        if step is None:
            continue
        lengths = [run.lengths[sample] for sample in batch.samples]
        targets = [run.supervised[sample] for sample in batch.samples]
        if planned is not None:
            schedule = planned.schedule(batch.step, lengths)
        else:
            schedule = schedule_batch(batch, run.lengths, scheduling)
        _check(step, schedule, lengths, targets, scheduling)
        batches.append(Batch(schedule, lengths, targets))
    return batches


def _planned(run: RunFolder, scheduling: SchedulingConfig) -> PlannedSchedules | None:
    """The schedules that training replayed; None where it scheduled online."""
    if scheduling.mode != "planned":
        return None
    try:
        return PlannedSchedules(run.path / PLANNED_FILE, run.lengths, scheduling)
    except ScheduleMismatch:
        return None


def _check(
    step: MeasuredStep,
    schedule: Schedule,
    lengths: list[int],
    targets: list[int],
    scheduling: SchedulingConfig,
) -> None:
    seconds = predicted_us(schedule, scheduling, lengths, targets) / 1e6
    known = (sum(lengths), sum(targets), len(schedule["micro_batches"]))
    logged = (step.tokens, step.supervised_tokens, step.micro_batches)
    if known != logged or abs(seconds - step.predicted_seconds) > 1e-6 * seconds:
        raise UserError(
            f"step {step.step} was not measured on the schedule that the folder gives it now:"
            " it was compiled again since, or trained on another number of ranks (say --ranks)"
        )
