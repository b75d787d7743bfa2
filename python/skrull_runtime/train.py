"""The training entry point of an emitted run."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from dataclasses import asdict, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import deepspeed
import torch
import torch.distributed as dist

from . import checkpoint, stopping
from .agreement import digest_of, require_agreement
from .collate import StepBatch
from .config import RunConfig, SchedulingConfig, TrainConfig
from .data import SampleIndex, data_root
from .feed import StepDataset, step_batches
from .groups import GroupTable
from .metrics import HEADER, MetricsLog
from .model import build_model
from .planned import FILE as PLANNED_FILE
from .planned import PlannedSchedules, ScheduleMismatch
from .preflight import fullest_micro_batch
from .sampler import ScheduledBatchSampler
from .trainer import NonFiniteLoss, StepResult, Trainer

DEEPSPEED_FILE = "ds_config.json"


def main(config: RunConfig, scheduling: SchedulingConfig, run_dir: Path) -> None:
    """Trains the run in ``run_dir`` on this rank. User mistakes end it with a message and exit code 1."""
    arguments = _arguments(config)
    try:
        _start_process_group(config)
        _run(config, scheduling, run_dir.resolve(), arguments)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def _arguments(config: RunConfig) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Trains a run that skrull compiled. Started again, it resumes."
    )
    parser.add_argument(
        "--steps", type=int, default=config.train.total_steps, help="stop after this many steps"
    )
    parser.add_argument(
        "--no-resume", action="store_true", help="start anew; an earlier run's output is set aside"
    )
    parser.add_argument(
        "--no-preflight", action="store_true", help="do not try a full micro-batch first"
    )
    parser.add_argument(
        "--local_rank", "--local-rank", type=int, default=-1, help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    return arguments


def _start_process_group(config: RunConfig) -> None:
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    # DeepSpeed calls collectives by names that torch 2.13 is about to rename.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    if deepspeed.accelerator.get_accelerator().device_name() == "cpu":
        # It would be compiled for a minute at start-up, and a failure to compile would end the run.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    timeout = timedelta(minutes=config.train.timeout_minutes)
    deepspeed.init_distributed(timeout=timeout, verbose=False)


def _run(
    config: RunConfig, compiled: SchedulingConfig, run_dir: Path, arguments: argparse.Namespace
) -> None:
    device = _device()
    scheduling = _for_world(compiled, dist.get_world_size())
    root = data_root(config.data, run_dir)
    index = SampleIndex(run_dir / "data_index.json", config.data, root)
    _verify_data(index)
    data_digest = _agree(config, scheduling, run_dir, device)

    total = min(arguments.steps, config.train.total_steps)
    sampler = ScheduledBatchSampler(index.lengths, scheduling, total)
    output = run_dir / config.train.output
    if arguments.no_resume:
        _set_aside(output)
    resumed = _resume_from(output, sampler, data_digest)
    model = build_model(config.model, run_dir, root, config.train.seed)
    ds_config = json.loads((run_dir / DEEPSPEED_FILE).read_bytes())
    trainer = Trainer(model, ds_config, config.model, config.train)
    groups = GroupTable(timedelta(minutes=config.train.timeout_minutes))
    if not arguments.no_preflight:
        _preflight(trainer, groups, scheduling, index)
    if resumed is not None:
        checkpoint.load_checkpoint(trainer.engine, resumed)
    log = _open_log(output, sampler.start_step, config, resumed)

    tokenizer = config.data.tokenizer
    dataset = StepDataset(
        index,
        scheduling,
        dist.get_rank(),
        tokenizer if tokenizer == "bytes" else str(run_dir / tokenizer),
        _planned(run_dir, index.lengths, scheduling),
    )
    loop = TrainingLoop(config.train, sampler, dataset, trainer, groups, output, data_digest)
    if not loop.run(log):
        sys.exit(stopping.EXIT_CODE)
    if log is not None:
        folder = config.train.output
        print(
            f"done: {sampler.start_step} steps; metrics in {folder}/{log.path.name},"
            f" checkpoints in {folder}/{checkpoint.FOLDER}",
            flush=True,
        )


class TrainingLoop:
    """All steps that are left, with their log and checkpoints; the last step always leaves a checkpoint."""

    def __init__(
        self,
        train: TrainConfig,
        sampler: ScheduledBatchSampler,
        dataset: StepDataset,
        trainer: Trainer,
        groups: GroupTable,
        output: Path,
        data_digest: str,
    ):
        self.train, self.sampler, self.dataset, self.trainer = train, sampler, dataset, trainer
        self.groups, self.output, self.data_digest = groups, output, data_digest
        self.stop = stopping.StopRequest()

    def run(self, log: MetricsLog | None) -> bool:
        """Whether all steps are trained; False where the run was asked to stop. Raises ValueError on a bad loss."""
        for batch in step_batches(self.dataset, self.sampler):
            result = self._step(batch)
            self.sampler.trained(batch.step)
            if log is not None:
                log.add(_record(batch, result))
            done = self.sampler.start_step
            last = done == self.sampler.total_steps
            stopped = self.stop.agreed(self.trainer.device) and not last
            every = self.train.checkpoint_every
            if last or stopped or (every and done % every == 0):
                self._save()
            if stopped:
                if log is not None:
                    print(f"stopped by SIGTERM after {done} steps, with a checkpoint", flush=True)
                return False
        return True

    def _step(self, batch: StepBatch) -> StepResult:
        try:
            return self.trainer.step(batch, self.groups)
        except NonFiniteLoss as error:
            places = ", ".join(self.dataset.index.place(sample) for sample in error.samples[:10])
            more = f" and {len(error.samples) - 10} more" if len(error.samples) > 10 else ""
            raise ValueError(
                f"{error}, from {places or 'no sample in particular'}{more}: look at the data, or lower the"
                " learning rate. Nothing was updated; the newest checkpoint is of an earlier step"
            ) from error

    def _save(self) -> None:
        state = {"sampler": self.sampler.state_dict(), "data": self.data_digest}
        checkpoint.save_checkpoint(
            self.trainer.engine, self.output, state, self.train.keep_checkpoints
        )


def _preflight(
    trainer: Trainer, groups: GroupTable, scheduling: SchedulingConfig, index: SampleIndex
) -> None:
    """Tries the fullest micro-batch before the first step. Raises RuntimeError where it does not fit."""
    fullest = fullest_micro_batch(scheduling, max(index.lengths), dist.get_rank())
    trainer.rehearse(fullest, groups)
    if dist.get_rank() != 0 or trainer.device.type != "cuda":
        return
    gib = torch.cuda.max_memory_allocated(trainer.device) / 2**30
    print(f"pre-flight: a full micro-batch fits, {gib:.1f} GiB at the peak", flush=True)


def _record(batch: StepBatch, result: StepResult) -> dict[str, Any]:
    """A line of the metrics file."""
    return {
        "step": batch.step,
        "epoch": batch.epoch,
        "loss": result.loss,
        "sequences": len(batch.samples),
        "tokens": batch.tokens,
        "supervised_tokens": batch.supervised,
        "micro_batches": len(batch.micro_batches),
        "seconds": result.seconds,
        "predicted_seconds": batch.predicted_seconds,
        "tokens_per_second": batch.tokens / result.seconds,
        "supervised_tokens_per_second": batch.supervised / result.seconds,
        "learning_rate": result.learning_rate,
        "gradient_norm": result.gradient_norm,
    }


def _device() -> torch.device:
    accelerator = deepspeed.accelerator.get_accelerator()
    if accelerator.device_name() != "cpu":
        accelerator.set_device(int(os.environ["LOCAL_RANK"]))
    return torch.device(accelerator.current_device_name())


def _for_world(compiled: SchedulingConfig, ranks: int) -> SchedulingConfig:
    """The scheduling of a run on this many ranks: the CP degree stays, the data-parallel degree follows.

    Raises ValueError where the ranks do not divide into groups of the CP degree.
    """
    context = compiled.context_parallel
    expected = compiled.data_parallel * context
    if ranks == expected:
        return compiled
    pool = compiled.degrees == "pool" and ranks & (ranks - 1)
    if ranks % context or pool:
        needed = "a power of two" if pool else f"a multiple of the CP degree {context}"
        raise ValueError(
            f"this run was compiled for {expected} ranks and started with {ranks}, which is not {needed}"
        )
    if dist.get_rank() == 0:
        print(
            f"compiled for {expected} ranks, started with {ranks}: scheduling for these."
            " Memory was planned for the former; compile again where it is tight",
            flush=True,
        )
    return replace(compiled, data_parallel=ranks // context)


def _agree(
    config: RunConfig, scheduling: SchedulingConfig, run_dir: Path, device: torch.device
) -> str:
    """Digest of the data, once all ranks hold the same run. Raises RuntimeError, naming ranks, where they do not."""
    index = (run_dir / "data_index.json").read_bytes()
    planned = run_dir / PLANNED_FILE
    files = [
        (run_dir / DEEPSPEED_FILE).read_bytes(),
        index,
        planned.read_bytes() if planned.is_file() else b"",
    ]
    require_agreement("plan", digest_of(asdict(config), asdict(scheduling), *files), device)
    return digest_of(index, asdict(config.data) | {"root": None})


def _set_aside(output: Path) -> None:
    """Renames an earlier run's output: its checkpoints are of later steps, and would be taken for the newest."""
    if dist.get_rank() == 0 and output.exists():
        kept = next(
            path
            for path in (output.with_name(f"{output.name}.{n}") for n in count(1))
            if not path.exists()
        )
        try:
            output.rename(kept)
        except OSError as error:
            raise ValueError(
                f"{output}: cannot be set aside for a new run ({error.strerror})"
            ) from error
        print(f"the earlier run's output is kept in {kept.name}", flush=True)
    dist.barrier()


def _verify_data(index: SampleIndex) -> None:
    """Rank 0 of each node could hold its own copy of the data, so every node's first rank verifies."""
    error = None
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        try:
            index.verify()
        except ValueError as found:
            error = str(found)
    errors: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(errors, error)
    first = next((found for found in errors if found is not None), None)
    if first is not None:
        raise ValueError(first)


def _planned(
    run_dir: Path, lengths: list[int], scheduling: SchedulingConfig
) -> PlannedSchedules | None:
    """The planned schedules; None to schedule online. Raises ValueError where only planned ones would do."""
    if scheduling.mode != "planned":
        return None
    try:
        return PlannedSchedules(run_dir / PLANNED_FILE, lengths, scheduling)
    except ScheduleMismatch as error:
        problem = f"the planned schedules are not used: {error}"
        if scheduling.strict:
            raise ValueError(f"{problem}; compile again, or set strict = false") from error
        if dist.get_rank() == 0:
            print(f"{problem}; scheduling online instead", flush=True)
        return None


def _resume_from(output: Path, sampler: ScheduledBatchSampler, data_digest: str) -> Path | None:
    """The checkpoint to resume from, with the sampler moved to it; None where there is none."""
    found = checkpoint.newest_sound(output)
    if found is None:
        return None
    folder, state = found
    ranks = dist.get_world_size()
    if state["ranks"] != ranks:
        raise ValueError(
            f"{folder}: was written by {state['ranks']} ranks, this run has {ranks};"
            " resume with the same number, or start a new run with --no-resume"
        )
    if state["data"] != data_digest:
        raise ValueError(
            "cannot resume: the data is not what the checkpoint was trained on; start with --no-resume"
        )
    sampler.load_state_dict(state["sampler"])
    return folder


def _open_log(
    output: Path, trained: int, config: RunConfig, resumed: Path | None
) -> MetricsLog | None:
    if dist.get_rank() != 0:
        return None
    log = MetricsLog(output, trained, config.train.log_every)
    if resumed is not None:
        print(f"resumed after {trained} steps from {resumed.name}", flush=True)
    print(HEADER, flush=True)
    return log
