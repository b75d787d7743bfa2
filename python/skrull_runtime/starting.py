"""Before the first step: the process group, the scheduling for this many ranks, and that all ranks hold the same."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path

import deepspeed
import torch
import torch.distributed as dist

from .agreement import digest_of, require_agreement
from .config import RunConfig, SchedulingConfig
from .data import SampleIndex
from .evaluation import INDEX_FILE as EVALUATION_FILE
from .feed import stop_workers
from .planned import FILE as PLANNED_FILE
from .planned import PlannedSchedules, ScheduleMismatch

DEEPSPEED_FILE = "ds_config.json"
INDEX_FILE = "data_index.json"


def own_rank() -> tuple[int, int]:
    """This rank and the number of ranks, before there is a process group. Raises ValueError without a launcher."""
    try:
        return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    except (KeyError, ValueError):
        raise ValueError(
            "RANK and WORLD_SIZE are not set: start the run with launch.sh, which starts every rank"
        ) from None


def start_process_group(timeout_seconds: float) -> torch.device:
    """This rank's device, once it can talk to the others; no collective takes longer than the time given."""
    quieten_deepspeed()
    accelerator = deepspeed.accelerator.get_accelerator()
    if accelerator.device_name() != "cpu":
        accelerator.set_device(int(os.environ["LOCAL_RANK"]))
    deepspeed.init_distributed(timeout=timedelta(seconds=timeout_seconds), verbose=False)
    return torch.device(accelerator.current_device_name())


@contextmanager
def ending_plainly() -> Iterator[None]:
    """For a whole program: a user's mistake ends it with a message and exit code 1, and however it ends, what it has
    started ends with it."""
    try:
        yield
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    finally:
        stop_workers()
        if dist.is_initialized():
            dist.destroy_process_group()


def quieten_deepspeed() -> None:
    """Without remarks on what is as it should be, and without compiling."""
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    # DeepSpeed calls collectives by names that torch 2.13 is about to rename.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    if deepspeed.accelerator.get_accelerator().device_name() == "cpu":
        # It would be compiled for a minute at start-up, and a failure to compile would end the run.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def for_world(compiled: SchedulingConfig, rank: int, ranks: int) -> SchedulingConfig:
    """The scheduling of a run on this many ranks: the CP degree stays, the data-parallel degree follows. Rank 0 says
    where these are not the compiled ones.

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
    if rank == 0:
        print(
            f"compiled for {expected} ranks, started with {ranks}: scheduling for these."
            " Memory was planned for the former; compile again where it is tight",
            flush=True,
        )
    return replace(compiled, data_parallel=ranks // context)


def agree(
    config: RunConfig, scheduling: SchedulingConfig, run_dir: Path, device: torch.device
) -> str:
    """Digest of the data, once all ranks hold the same run. Raises RuntimeError, naming ranks, where they do not."""
    index = (run_dir / INDEX_FILE).read_bytes()
    names = (DEEPSPEED_FILE, PLANNED_FILE, EVALUATION_FILE)
    paths = [run_dir / name for name in names]
    files = [path.read_bytes() if path.is_file() else b"" for path in paths]
    require_agreement("plan", digest_of(asdict(config), asdict(scheduling), index, *files), device)
    return digest_of(index, asdict(config.data) | {"root": None})


def verify_data(indices: list[SampleIndex]) -> None:
    """Raises ValueError on all ranks where a node's data is not what was compiled with.

    Every node could hold its own copy, so every node's first rank looks.
    """
    error = None
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        try:
            for index in indices:
                index.verify()
        except ValueError as found:
            error = str(found)
    errors: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(errors, error)
    first = next((found for found in errors if found is not None), None)
    if first is not None:
        raise ValueError(first)


def planned_schedules(
    run_dir: Path, lengths: list[int], scheduling: SchedulingConfig, rank: int
) -> PlannedSchedules | None:
    """The planned schedules; None to schedule online, which rank 0 says where they were expected.

    Raises ValueError where only planned ones would do.
    """
    if scheduling.mode != "planned":
        return None
    try:
        return PlannedSchedules(run_dir / PLANNED_FILE, lengths, scheduling)
    except ScheduleMismatch as error:
        problem = f"the planned schedules are not used: {error}"
        if scheduling.strict:
            raise ValueError(f"{problem}; compile again, or set strict = false") from error
        if rank == 0:
            print(f"{problem}; scheduling online instead", flush=True)
        return None
