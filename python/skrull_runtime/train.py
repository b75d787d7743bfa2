"""The training entry point of an emitted run."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch.distributed as dist

from . import defaults
from .batches.collate import StepBatch
from .batches.sampler import ScheduledBatchSampler
from .checkpoints import save as checkpoint
from .checkpoints.export import export_model
from .checkpoints.resume import Resume, find_resume, set_aside
from .config import RunConfig, SchedulingConfig
from .data.index import SampleIndex
from .documents import read_document
from .errors import UserError
from .guarding import guard, place
from .guarding.meeting import group_timeout, limit_groups
from .model.build import build_model
from .model.groups import GroupTable
from .process import stop_request as stopping
from .process.agreement import attempted, digest_of, require_agreement, require_success
from .process.arguments import Parser
from .process.run_lock import hold
from .reporting.metrics import HEADER, Entry, MetricsLog, step_entry, trackers
from .reporting.prediction import WARM_UP, PredictionCheck
from .scheduling import class_degrees
from .training.determinism import be_deterministic
from .training.end import Stopped, ending_plainly
from .training.evaluation import Evaluation
from .training.nonfinite import NonFinite
from .training.preflight import Preflight
from .training.prepare import Prepared, prepare
from .training.start import (
    DEEPSPEED_FILE,
    DEEPSPEED_SCHEMA,
    agree,
    own_rank,
    start_process_group,
    verify_data,
)
from .training.step import StepResult, Trainer

OWNER_WAIT = 5.0  # seconds for an earlier start of the same run to end


def main(config: RunConfig, scheduling: SchedulingConfig, run_dir: Path) -> None:
    """Trains the run in ``run_dir`` on this rank, and ends the process with a documented exit code if it fails."""
    with ending_plainly():
        _run(config, scheduling, run_dir.resolve(), _arguments(config))


def _arguments(config: RunConfig) -> argparse.Namespace:
    parser = Parser(description="Trains a run that skrull compiled. Started again, it resumes.")
    parser.add_argument(
        "--steps", type=int, default=config.train.total_steps, help="stop after this many steps"
    )
    parser.add_argument(
        "--no-resume", action="store_true", help="start anew; an earlier run's output is set aside"
    )
    parser.add_argument(
        "--no-preflight",
        action="store_true",
        help="do not try the run's most demanding micro-batches first",
    )
    parser.add_argument(
        "--local_rank", "--local-rank", type=int, default=-1, help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    return arguments


def _run(
    config: RunConfig,
    compiled: SchedulingConfig,
    run_dir: Path,
    arguments: argparse.Namespace,
) -> None:
    train = config.train
    prepared, data_digest = _started(config, compiled, run_dir, arguments)
    index = prepared.dataset.index
    sampler = ScheduledBatchSampler(
        index.lengths, prepared.scheduling, min(arguments.steps, train.total_steps)
    )
    output = run_dir / train.output
    _own(output, train.timeout_seconds)
    if arguments.no_resume or train.resume == "never":
        set_aside(output)
    resume = find_resume(output, sampler, data_digest, config)
    ds_config = read_document(run_dir / DEEPSPEED_FILE, DEEPSPEED_SCHEMA)
    if resume is not None:
        ds_config = resume.configuration(ds_config)
    preflight = None if arguments.no_preflight else Preflight.of(sampler, prepared, config.model)
    batches = prepared.feed.batches(sampler)  # made while the model is being built
    trainer, groups = _trainer(config, prepared, run_dir, ds_config)
    if preflight is not None:
        place.at("the pre-flight")
        preflight.run(trainer, groups)
    if resume is not None:
        place.at(f"reading {resume.folder.name}")
        resume.load(trainer.engine)
    log, problem = attempted(lambda: _open_log(output, sampler.start_step, trainer, resume))
    require_success(problem)

    evaluation = prepared.evaluation
    loop = TrainingLoop(config, sampler, index, trainer, groups, output, data_digest, evaluation)
    if log is not None:
        loop.check = PredictionCheck.of(compiled, prepared.scheduling, sampler.start_step)
    finished = loop.run(batches, log)
    if log is not None:
        _warn_of_times(None if loop.check is None else loop.check.end())
        log.close()
    if not finished:
        steps = f"{sampler.start_step} steps{_skipped(trainer)}"
        raise Stopped(f"stopped by SIGTERM after {steps}, with a checkpoint")
    _finish(config, run_dir, trainer, sampler.start_step, log)


def _started(
    config: RunConfig, compiled: SchedulingConfig, run_dir: Path, arguments: argparse.Namespace
) -> tuple[Prepared, str]:
    """What this rank has by itself, once all ranks have come and agree on the run; and the digest of the data."""
    rank, ranks = own_rank()
    prepared, problem = attempted(lambda: prepare(config, compiled, run_dir, rank, ranks))
    if config.train.deterministic:
        be_deterministic()
    device = start_process_group(config.train.timeout_seconds)
    # Ranks of other nodes may have no problem, and would wait for this one.
    require_success(problem)
    assert prepared is not None
    asked = {name: value for name, value in vars(arguments).items() if name != "local_rank"}
    require_agreement("command line", digest_of(asked), device)
    index, evaluation = prepared.dataset.index, prepared.evaluation
    verify_data([index] if evaluation is None else [index, evaluation.index])
    return prepared, agree(config, prepared.scheduling, run_dir, device)


def _trainer(
    config: RunConfig, prepared: Prepared, run_dir: Path, ds_config: dict[str, Any]
) -> tuple[Trainer, GroupTable]:
    """The model under DeepSpeed, and the groups of ranks that schedules may use."""
    train, scheduling = config.train, prepared.scheduling
    place.at("the start of the model")
    model = build_model(config.model, run_dir, prepared.dataset.index.root, train.seed, ds_config)
    place.at("the start of DeepSpeed")
    trainer = Trainer(model, ds_config, config.model, train)
    limit_groups(train.timeout_seconds)
    groups = GroupTable(group_timeout(train.timeout_seconds))
    degrees = class_degrees(
        scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel
    )
    if trainer.needs_whole_sequences and max(degrees) > 1:
        raise UserError(
            "layers of the model need whole sequences, and this run's ranks share them:"
            " compile with parallel { context = 1 }"
        )
    groups.prepare_ahead(degrees)
    return trainer, groups


def _finish(
    config: RunConfig, run_dir: Path, trainer: Trainer, steps: int, log: MetricsLog | None
) -> None:
    """Exports the model, and says where everything is."""
    train = config.train
    if train.export:
        place.at("the export")
        export_model(
            trainer.model,
            run_dir / train.output,
            run_dir,
            trainer.stage,
            config.model.source,
            config.data,
            config.model.stored_vocabulary is not None,
            config.model.lora is not None and config.model.lora.get("merge", False),
        )
    if log is not None:
        exported = f", the model in {train.output}/model" if train.export else ""
        print(
            f"done: {steps} steps{_skipped(trainer)}; metrics in {train.output}/{log.path.name},"
            f" checkpoints in {train.output}/{checkpoint.FOLDER}{exported}",
            flush=True,
        )


class TrainingLoop:
    """Runs all remaining steps, with their log and checkpoints; the last step always leaves a checkpoint."""

    def __init__(
        self,
        config: RunConfig,
        sampler: ScheduledBatchSampler,
        index: SampleIndex,
        trainer: Trainer,
        groups: GroupTable,
        output: Path,
        data_digest: str,
        evaluation: Evaluation | None = None,
    ):
        self.config, self.train, self.sampler = config, config.train, sampler
        self.index, self.trainer = index, trainer
        self.groups, self.output, self.data_digest = groups, output, data_digest
        self.evaluation = evaluation
        self.check: PredictionCheck | None = None
        self._unsettled = WARM_UP  # coming steps whose times say little
        self.stop = stopping.StopRequest()
        if (own := guard.current()) is not None:
            own.saves_when_stopped()

    def run(self, batches: Iterator[StepBatch], log: MetricsLog | None) -> bool:
        """Trains. Returns whether all steps are trained; False if the run was asked to stop. Raises UserError where a loss or
        gradient is not finite."""
        stopped = not self._make_up_for_an_evaluation(log)
        asked = time.perf_counter()
        place.at(f"the batch of step {self.sampler.start_step}")
        for batch in () if stopped else batches:
            waited = time.perf_counter() - asked
            result = replace(self._step(batch), waited_seconds=waited)
            self.sampler.trained(batch.step)
            if log is not None:
                self._tell(log, batch, result)
            self._unsettled = max(0, self._unsettled - 1)
            stopped = self._after_step(log, result.stop)
            if stopped:
                break
            asked = time.perf_counter()
            place.at(f"the batch of step {self.sampler.start_step}")
        return not stopped

    def _after_step(self, log: MetricsLog | None, stop: bool) -> bool:
        """Saves a checkpoint and evaluates, where due. Returns whether the run was asked to stop, and then has a
        checkpoint."""
        done, every = self.sampler.start_step, self.train.checkpoint_every
        last = done == self.sampler.total_steps
        stopped = stop and not last
        saves = last or stopped or (every > 0 and done % every == 0)
        if saves:
            self._save()
        if stopped or self._evaluate(done, last, log):
            return stopped
        if not saves:
            self._save()
        return True

    def _step(self, batch: StepBatch) -> StepResult:
        try:
            return self.trainer.step(batch, self.groups, self.stop.is_asked)
        except NonFinite as error:
            places = ", ".join(self.index.place(sample) for sample in error.samples[:10])
            more = f" and {len(error.samples) - 10} more" if len(error.samples) > 10 else ""
            raise UserError(
                f"{error}, from {places or 'no sample in particular'}{more}: look at the data, or lower the"
                f" learning rate{error.advice}. Nothing was updated; the newest checkpoint is of an earlier step"
            ) from error

    def _tell(self, log: MetricsLog, batch: StepBatch, result: StepResult) -> None:
        """Logs a step, and warns where steps take other times than the plan's band allows."""
        lengths = [self.index.lengths[sample] for sample in batch.samples]
        entry: Entry = step_entry(batch, result, self.train, lengths, dist.get_world_size())
        disturbed = self._unsettled > 0 or result.skipped or batch.supervised == 0
        log.add(entry | {"disturbed": True} if disturbed else entry)
        _tell_of_skipped(batch.step, result)
        if self.check is not None and not disturbed:
            targets = [self.index.supervised[sample] for sample in batch.samples]
            _warn_of_times(self.check.add(batch, lengths, targets, result.seconds))

    def _make_up_for_an_evaluation(self, log: MetricsLog | None) -> bool:
        """Evaluates if the last evaluation was cut short, as a checkpoint is written before its evaluation. Returns False if
        this one is cut short too."""
        done = self.sampler.start_step
        if self.evaluation is None or done == 0:
            return True
        missing = [log is not None and not log.has_evaluation(done)]
        dist.broadcast_object_list(missing)
        return not missing[0] or self._evaluate(done, done >= self.sampler.total_steps, log)

    def _evaluate(self, done: int, last: bool, log: MetricsLog | None) -> bool:
        """Evaluates where due. Returns False if the run is asked to stop before it is done."""
        if self.evaluation is None or not self.evaluation.is_due(done, last):
            return True
        started = time.perf_counter()
        loss = self.evaluation.loss(self.trainer, self.groups, self.stop)
        self._unsettled = max(1, self._unsettled)
        if loss is None:
            return False
        if log is not None:
            log.add_evaluation(done, loss, time.perf_counter() - started)
        return True

    def _save(self) -> None:
        place.at(f"the checkpoint after {self.sampler.start_step} steps")
        state: checkpoint.TrainedState = {
            "sampler": self.sampler.state_dict(),
            "data": self.data_digest,
            "defaults": defaults.chosen(self.config),
            "attention": self.trainer.kernel.name,
        }
        checkpoint.save_checkpoint(
            self.trainer.engine, self.output, state, self.train.keep_checkpoints
        )
        self._unsettled = max(1, self._unsettled)


def _warn_of_times(warning: str | None) -> None:
    if warning is not None:
        print(f"warning: {warning}", flush=True)


def _tell_of_skipped(step: int, result: StepResult) -> None:
    if result.skipped:
        print(
            f"warning: step {step} changed nothing, its gradient is not finite;"
            f" {result.skipped_steps} of {step + 1} steps are skipped so far",
            flush=True,
        )


def _skipped(trainer: Trainer) -> str:
    """The skipped steps, for the last line of a run."""
    count = trainer.engine.skipped_steps
    return f", {count} of them skipped because their gradients were not finite" if count else ""


def _own(output: Path, timeout: float) -> None:
    """Makes sure that no other run writes there from now on. Raises UserError on all ranks where another one does."""
    problem = None
    if dist.get_rank() == 0:
        _, problem = attempted(lambda: hold(output, min(OWNER_WAIT, timeout / 2)))
    require_success(problem)


def _open_log(
    output: Path, trained: int, trainer: Trainer, resume: Resume | None
) -> MetricsLog | None:
    if dist.get_rank() != 0:
        return None
    others = trackers(trainer.train, output, resume is not None)
    log = MetricsLog(output, trained, trainer.train.log_every, others)
    if resume is not None:
        written = "" if resume.is_native() else f", written by {resume.ranks} ranks"
        print(f"resumed after {trained} steps from {resume.folder.name}{written}", flush=True)
    print(f"attention: {trainer.kernel.name}", flush=True)
    for remark in trainer.remarks:
        print(f"warning: {remark}", flush=True)
    print(HEADER, flush=True)
    return log
