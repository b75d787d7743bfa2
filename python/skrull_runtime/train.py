"""The training entry point of an emitted run."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import deepspeed
import torch
import torch.distributed as dist

from . import checkpoint
from .agreement import digest_of, require_agreement
from .config import RunConfig, SchedulingConfig
from .data import SampleIndex, data_root
from .feed import StepDataset, step_batches
from .groups import GroupTable
from .metrics import HEADER, MetricsLog
from .model import build_model
from .planned import FILE as PLANNED_FILE
from .planned import PlannedSchedules, ScheduleMismatch
from .sampler import ScheduledBatchSampler
from .scheduling import class_degrees
from .trainer import Trainer


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
        "--no-resume", action="store_true", help="start anew, whatever checkpoints there are"
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
    config: RunConfig, scheduling: SchedulingConfig, run_dir: Path, arguments: argparse.Namespace
) -> None:
    accelerator = deepspeed.accelerator.get_accelerator()
    if accelerator.device_name() != "cpu":
        accelerator.set_device(int(os.environ["LOCAL_RANK"]))
    device = torch.device(accelerator.current_device_name())
    ranks = scheduling.data_parallel * scheduling.context_parallel
    if ranks != dist.get_world_size():
        raise ValueError(
            f"this run was compiled for {ranks} ranks and started with {dist.get_world_size()}"
        )
    root = data_root(config.data, run_dir)
    index = SampleIndex(run_dir / "data_index.json", config.data, root)
    _verify_data(index, device)
    ds_text = (run_dir / "ds_config.json").read_bytes()
    index_text = (run_dir / "data_index.json").read_bytes()
    require_agreement(
        "plan", digest_of(asdict(config), asdict(scheduling), ds_text, index_text), device
    )
    data_digest = digest_of(index_text, asdict(config.data) | {"root": None})

    total = min(arguments.steps, config.train.total_steps)
    sampler = ScheduledBatchSampler(index.lengths, scheduling, total)
    output = run_dir / config.train.output
    resumed = _resume_state(output, sampler, data_digest, arguments.no_resume)
    model = build_model(config.model, run_dir, root, config.train.seed)
    trainer = Trainer(model, json.loads(ds_text), config.model, config.train)
    if resumed is not None:
        checkpoint.load_checkpoint(trainer.engine, resumed)
    groups = GroupTable(
        class_degrees(scheduling.degrees, scheduling.data_parallel, scheduling.context_parallel),
        timedelta(minutes=config.train.timeout_minutes),
    )
    log = _open_log(output, sampler.start_step, config, resumed)

    tokenizer = config.data.tokenizer
    dataset = StepDataset(
        index,
        scheduling,
        dist.get_rank(),
        tokenizer if tokenizer == "bytes" else str(run_dir / tokenizer),
        _planned(run_dir, index.lengths, scheduling),
    )
    saved = sampler.start_step
    for batch in step_batches(dataset, sampler):
        result = trainer.step(batch, groups)
        sampler.trained(batch.step)
        if log is not None:
            log.add(
                {
                    "step": batch.step,
                    "epoch": batch.epoch,
                    "loss": result.loss,
                    "sequences": batch.sequences,
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
            )
        due = (
            config.train.checkpoint_every
            and sampler.start_step % config.train.checkpoint_every == 0
        )
        if due or sampler.start_step == total:
            state = {"sampler": sampler.state_dict(), "data": data_digest}
            checkpoint.save_checkpoint(trainer.engine, output, state, config.train.keep_checkpoints)
            saved = sampler.start_step
    if log is not None:
        place = f"checkpoint of step {saved} in {config.train.output}/{checkpoint.FOLDER}"
        print(
            f"done: {sampler.start_step} steps; metrics in {config.train.output}/{log.path.name}, {place}",
            flush=True,
        )


def _verify_data(index: SampleIndex, device: torch.device) -> None:
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


def _resume_state(
    output: Path, sampler: ScheduledBatchSampler, data_digest: str, anew: bool
) -> Path | None:
    """The checkpoint to resume from, with the sampler moved to it; None to start anew."""
    folders = [] if anew else checkpoint.checkpoint_folders(output)
    if not folders:
        return None
    state = checkpoint.read_state(folders[-1])
    if state["data"] != data_digest:
        raise ValueError(
            "cannot resume: the data is not what the checkpoint was trained on; start with --no-resume"
        )
    sampler.load_state_dict(state["sampler"])
    return folders[-1]


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
