"""Before the first step: the process group, and the check that all ranks hold the same run."""

from __future__ import annotations

import logging
import os
import warnings
from dataclasses import asdict
from pathlib import Path

import deepspeed
import torch
import torch.distributed as dist

from ..config import RunConfig, SchedulingConfig
from ..data.index import SampleIndex
from ..errors import UserError
from ..guarding import place
from ..guarding.meeting import group_timeout, meet
from ..process.agreement import attempted, digest_of, require_agreement, require_success
from ..scheduling.replay import FILE as PLANNED_FILE
from .evaluation import INDEX_FILE as EVALUATION_FILE

DEEPSPEED_FILE = "ds_config.json"
DEEPSPEED_SCHEMA = "deepspeed-config.schema.json"
INDEX_FILE = "data_index.json"
MODEL_FILE = "config.json"


def start_process_group(timeout_seconds: float) -> torch.device:
    """This rank's device, once it can communicate with the others. A rank that is silent for that many seconds ends the
    run.

    Raises UserError where the ranks do not meet.
    """
    quieten_deepspeed()
    accelerator = deepspeed.accelerator.get_accelerator()
    bound = None
    if accelerator.device_name() != "cpu":
        accelerator.set_device(int(os.environ["LOCAL_RANK"]))
        bound = torch.device(accelerator.current_device_name())  # so that groups can be split
    rank, ranks = own_rank()
    store = meet(rank, ranks, timeout_seconds)
    place.at("the start of the process group")
    dist.init_process_group(
        accelerator.communication_backend_name(),
        store=store,
        rank=rank,
        world_size=ranks,
        timeout=group_timeout(timeout_seconds),
        device_id=bound,
    )
    deepspeed.init_distributed(verbose=False)
    return torch.device(accelerator.current_device_name())


def own_rank() -> tuple[int, int]:
    """This rank and the number of ranks, before there is a process group. Raises UserError if no launcher set them."""
    try:
        return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    except (KeyError, ValueError):
        raise UserError(
            "RANK and WORLD_SIZE are not set: start the run with launch.sh, which starts every rank"
        ) from None


def quieten_deepspeed() -> None:
    """Keeps DeepSpeed from remarks about normal things, and from compiling."""
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    # DeepSpeed calls collectives by names that torch 2.13 is about to rename.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"torch\.distributed")
    if deepspeed.accelerator.get_accelerator().device_name() == "cpu":
        # It would take a minute to compile at start-up, and a failure to compile would end the run.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False


def agree(
    config: RunConfig, scheduling: SchedulingConfig, run_dir: Path, device: torch.device
) -> str:
    """Collective: the digest of the data, if all ranks hold the same run. Raises UserError, naming ranks, if not."""
    index = (run_dir / INDEX_FILE).read_bytes()
    names = (DEEPSPEED_FILE, PLANNED_FILE, EVALUATION_FILE)
    paths = [run_dir / name for name in names]
    files = [path.read_bytes() if path.is_file() else b"" for path in paths]
    require_agreement("plan", digest_of(asdict(config), asdict(scheduling), index, *files), device)
    return digest_of(index, asdict(config.data) | {"root": None})


def verify_data(indices: list[SampleIndex]) -> None:
    """Collective. Raises UserError on all ranks where a node's data is not what the run was compiled with.

    Every node may hold its own copy, so the first rank of every node checks.
    """

    def verify() -> None:
        for index in indices:
            index.verify()

    problem = None
    if int(os.environ.get("LOCAL_RANK", "0")) == 0:
        _, problem = attempted(verify)
    require_success(problem)
