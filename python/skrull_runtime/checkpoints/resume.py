"""Where a run resumes: from its newest sound checkpoint, written by any number of ranks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from .. import defaults
from ..batches.sampler import ScheduledBatchSampler
from ..config import RunConfig
from ..errors import UserError
from ..process.agreement import attempted, require_success
from ..shapes import DeepSpeedConfig
from . import save as checkpoint
from .convert import RANK_PID


@dataclass(frozen=True)
class Resume:
    """A checkpoint to resume from."""

    folder: Path
    ranks: int  # that wrote it

    def is_native(self) -> bool:
        """Whether this run has as many ranks, so that each reads its own part."""
        return self.ranks == dist.get_world_size()

    def configuration(self, ds_config: DeepSpeedConfig) -> DeepSpeedConfig:
        """DeepSpeed's configuration, changed where reading this checkpoint needs it."""
        stage = ds_config.get("zero_optimization", {}).get("stage", 0)
        if self.is_native() or stage == 0:  # under stage 0 every part holds the same
            return ds_config
        return ds_config | {"checkpoint": {"load_universal": True}}

    def load(self, engine: Any) -> None:
        """Restores it into an engine made with :meth:`configuration`. Raises UserError where it cannot be read."""
        if not engine.load_universal_checkpoint():
            checkpoint.load_checkpoint(engine, self.folder)
            return
        universal = self.folder.with_name(f"universal-{self.folder.name}")
        _convert(self.folder, universal)
        checkpoint.load_checkpoint(engine, universal)
        separate_steps(engine.basic_optimizer)
        dist.barrier()
        if dist.get_rank() == 0:  # if this start fails, the next one removes it
            shutil.rmtree(universal, ignore_errors=True)


def separate_steps(optimizer: torch.optim.Optimizer) -> None:
    """Gives every state its own step count. Loading a universal checkpoint under ZeRO 3, DeepSpeed hands one tensor to all
    parameter groups: every group would increment it, and Adam's bias correction would run ahead."""
    for state in optimizer.state.values():
        if torch.is_tensor(state.get("step")):
            state["step"] = state["step"].clone()


def _convert(folder: Path, universal: Path) -> None:
    """Rank 0 writes the checkpoint in DeepSpeed's universal form. Raises UserError on all ranks where it cannot."""
    problem = None
    if dist.get_rank() == 0:
        problem = _try_to_convert(folder, universal)
    require_success(problem)


def _try_to_convert(folder: Path, universal: Path) -> str | None:
    """Returns what went wrong; None if nothing did."""
    shutil.rmtree(universal, ignore_errors=True)  # left by a killed run
    paths = ["--input_folder", str(folder), "--output_folder", str(universal)]
    # One worker: each would hold a copy of what it converts.
    workers = ["--num_extract_workers", "1", "--num_merge_workers", "1"]
    command = [sys.executable, "-m", f"{__package__}.convert", *paths, *workers]
    made = subprocess.run(
        [*command, "--inject_missing_state"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=_environment(),
        check=False,
    )
    if made.returncode == 0:
        return None
    reason = (made.stdout.strip() or "no reason").splitlines()[-1]
    return (
        f"{folder}: cannot be converted for {dist.get_world_size()} ranks ({reason});"
        " resume with as many as wrote it, or start with --no-resume"
    )


def _environment() -> dict[str, str]:
    """The environment of a program that is not a rank and finds this package."""
    own = {name: value for name, value in os.environ.items() if name != "RANK"}
    package = str(Path(__file__).resolve().parents[2])
    found = [package, own["PYTHONPATH"]] if own.get("PYTHONPATH") else [package]
    return own | {"PYTHONPATH": os.pathsep.join(found), RANK_PID: str(os.getpid())}


def find_resume(
    output: Path, sampler: ScheduledBatchSampler, data_digest: str, config: RunConfig
) -> Resume | None:
    """The checkpoint to resume from, with the sampler advanced to it; None where there is none.

    The remaining global batches are the same on any number of ranks. Raises UserError where they would not be, where the
    checkpoint cannot be read on this number of ranks or was not written by a run of ours, or where it was trained with
    another value of a default that has changed.
    """
    found = checkpoint.newest_sound(output)
    if found is None:
        return None
    folder, state = found
    if state["data"] != data_digest:
        raise UserError(
            "cannot resume: the data is not what the checkpoint was trained on; start with --no-resume"
        )
    step = state["sampler"]["step"]
    if step > config.train.total_steps:
        raise UserError(
            f"{folder}: is after {step} steps, and the run has {config.train.total_steps}; compile it for as many,"
            " or start a new run with --no-resume"
        )
    defaults.require_same(config, state)
    resume = Resume(folder, state["ranks"])
    optimizer = config.train.optimizer["type"]
    if not resume.is_native() and optimizer != "adamw":
        raise UserError(
            f"{folder}: was written by {state['ranks']} ranks, this run has {dist.get_world_size()};"
            f" DeepSpeed converts the states of adamw only, not of {optimizer}."
            " Resume with the same number, or start a new run with --no-resume"
        )
    sampler.load_state_dict(state["sampler"])
    checkpoint.require_own(folder)
    return resume


def set_aside(output: Path) -> None:
    """Renames an earlier run's output: its checkpoints may be of later steps, and would be taken for the newest.

    Raises UserError on all ranks where it cannot be renamed.
    """
    problem = None
    if dist.get_rank() == 0 and output.exists():
        names = (output.with_name(f"{output.name}.{n}") for n in count(1))
        kept = next(path for path in names if not path.exists())
        _, problem = attempted(lambda: output.rename(kept))
        if problem is None:
            print(f"the earlier run's output is kept in {kept.name}", flush=True)
        else:
            problem = problem.about(f"{output}: cannot be set aside for a new run")
    require_success(problem)
