"""Checkpoints: written whole before they count, kept to a number, resumed from the newest that is complete."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch.distributed as dist

FOLDER = "checkpoints"
# Written last, by rank 0, after every rank has written its part: a folder without it does not count.
STATE = "skrull_state.json"


def checkpoint_folders(output: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path.parent for path in (output / FOLDER).glob(f"step-*/{STATE}"))


def save_checkpoint(engine: Any, output: Path, state: dict[str, Any], keep: int) -> None:
    """Writes a checkpoint on all ranks and removes the oldest beyond ``keep``. ``state`` is the same on all ranks."""
    tag = f"step-{state['sampler']['step']:08d}"
    folder = output / FOLDER
    if dist.get_rank() == 0 and (folder / tag).exists():
        shutil.rmtree(folder / tag)  # an incomplete one of a killed run, or of the same step
    dist.barrier()
    engine.save_checkpoint(str(folder), tag=tag, save_latest=False)
    dist.barrier()
    if dist.get_rank() == 0:
        temporary = folder / tag / f"{STATE}.tmp"
        temporary.write_text(json.dumps({**state, "ranks": dist.get_world_size()}))
        os.replace(temporary, folder / tag / STATE)
        for old in checkpoint_folders(output)[:-keep]:
            shutil.rmtree(old)


def read_state(folder: Path) -> dict[str, Any]:
    """State saved with a checkpoint. Raises ValueError where it was written by another number of ranks."""
    state = json.loads((folder / STATE).read_text())
    if state["ranks"] != dist.get_world_size():
        raise ValueError(
            f"{folder}: was written by {state['ranks']} ranks, this run has {dist.get_world_size()};"
            " resume with the same number, or start a new run with --no-resume"
        )
    return state


def load_checkpoint(engine: Any, folder: Path) -> None:
    """Restores a checkpoint into the engine. Raises ValueError where it cannot be read."""
    try:
        engine.load_checkpoint(str(folder.parent), tag=folder.name)
    except Exception as error:  # DeepSpeed raises assertion, zip and key errors alike
        raise ValueError(
            f"{folder}: cannot be resumed from ({type(error).__name__}: {error})"
        ) from error
