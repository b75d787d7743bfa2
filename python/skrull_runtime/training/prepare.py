"""Before the process group: the scheduling for the number of ranks, the data, and the workers that make batches of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..batches.feed import StepDataset, StepFeed
from ..batches.segments import windows_in
from ..config import RunConfig, SchedulingConfig, require_contract
from ..data.filling import StoreFilling, own_share
from ..data.index import SampleIndex, data_root
from ..errors import UserError
from ..scheduling import POLICIES
from ..scheduling.replay import FILE as PLANNED_FILE
from ..scheduling.replay import PlannedSchedules, ScheduleMismatch
from ..versions import check_packages
from .evaluation import INDEX_FILE as EVALUATION_FILE
from .evaluation import Evaluation
from .start import INDEX_FILE, MODEL_FILE


@dataclass(frozen=True)
class Prepared:
    """What a rank prepares by itself."""

    scheduling: SchedulingConfig
    dataset: StepDataset
    feed: StepFeed
    evaluation: Evaluation | None


def prepare(
    config: RunConfig, compiled: SchedulingConfig, run_dir: Path, rank: int, ranks: int
) -> Prepared:
    """Prepares this rank. Raises UserError or OSError where it cannot take part."""
    remarks = check_packages()
    if rank == 0:
        for remark in remarks:
            print(f"warning: {remark}", flush=True)
    require_contract(config.model, config.data, config.train, compiled)
    scheduling = for_world(compiled, rank, ranks)
    root = data_root(config.data, run_dir)
    index = SampleIndex(run_dir / INDEX_FILE, config.data, root)
    steps = config.train.total_steps
    planned = planned_schedules(run_dir, index.lengths, scheduling, rank, steps)
    dataset = _dataset(scheduling, run_dir, index, rank, planned)
    feed = StepFeed(dataset, config.train.timeout_seconds)
    evaluation = _evaluation(config, scheduling, run_dir, root, rank)
    return Prepared(scheduling, dataset, feed, evaluation)


def for_world(compiled: SchedulingConfig, rank: int, ranks: int) -> SchedulingConfig:
    """The scheduling of a run on ``ranks`` ranks: the CP degree stays, and the data-parallel degree follows. Rank 0 reports
    a number of ranks that is not the compiled one.

    Raises UserError where the ranks cannot be divided into groups of the CP degree.
    """
    context = compiled.context_parallel
    expected = compiled.data_parallel * context
    if ranks == expected:
        return compiled
    pool = compiled.degrees == "pool" and ranks & (ranks - 1)
    if ranks % context or pool:
        needed = "a power of two" if pool else f"a multiple of the CP degree {context}"
        raise UserError(
            f"this run was compiled for {expected} ranks and started with {ranks}, which is not {needed}"
        )
    if rank == 0:
        print(
            f"compiled for {expected} ranks, started with {ranks}: scheduling for these."
            " Memory was planned for the former; compile again where it is tight",
            flush=True,
        )
    return replace(compiled, data_parallel=ranks // context)


def planned_schedules(
    run_dir: Path, lengths: Sequence[int], scheduling: SchedulingConfig, rank: int, steps: int
) -> PlannedSchedules | None:
    """The planned schedules of ``steps`` steps; None to schedule online, which rank 0 reports if they were expected.

    Raises UserError where the run accepts only planned schedules and there are none that match.
    """
    if scheduling.mode != "planned":
        return None
    try:
        planned = PlannedSchedules(run_dir / PLANNED_FILE, lengths, scheduling)
        if len(planned) < steps:
            raise ScheduleMismatch(f"they are of {len(planned)} steps, the run has {steps}")
        return planned
    except ScheduleMismatch as error:
        problem = f"the planned schedules are not used: {error}"
        if scheduling.policy not in POLICIES:
            raise UserError(
                f"{problem}; compile again: only the compiler schedules by policy = {scheduling.policy}"
            ) from error
        if scheduling.strict:
            raise UserError(f"{problem}; compile again, or set strict = false") from error
        if rank == 0:
            print(f"{problem}; scheduling online instead", flush=True)
        return None


def _evaluation(
    config: RunConfig, scheduling: SchedulingConfig, run_dir: Path, root: Path, rank: int
) -> Evaluation | None:
    file = run_dir / EVALUATION_FILE
    if not file.is_file():
        return None
    index = SampleIndex(file, config.data, root)
    if scheduling.policy not in POLICIES:  # what has no gradient may be scheduled by any
        scheduling = replace(scheduling, policy="auto")
    dataset = _dataset(scheduling, run_dir, index, rank)
    return Evaluation(dataset, config.train.evaluate_every, config.train.timeout_seconds)


def _dataset(
    scheduling: SchedulingConfig,
    run_dir: Path,
    index: SampleIndex,
    rank: int,
    planned: PlannedSchedules | None = None,
) -> StepDataset:
    """This rank's batches of the samples of an index, after making sure that their tokens are in this machine's store."""
    filling = StoreFilling(index, run_dir)
    member, members = own_share()
    filling.fill(member, members, _say if member == 0 else lambda _: None)
    windows = windows_in(run_dir / MODEL_FILE)
    return StepDataset(index, scheduling, rank, filling, planned, windows)


def _say(line: str) -> None:
    print(line, flush=True)
