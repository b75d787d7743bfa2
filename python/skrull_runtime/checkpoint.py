"""Checkpoints: written whole before they count, kept to a number, resumed from the newest that is complete and sound."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
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
    """Writes a checkpoint on all ranks and removes the oldest beyond ``keep``. ``state`` is the same on all ranks.

    Raises ValueError where it cannot be written; earlier ones are then as they were.
    """
    tag = f"step-{state['sampler']['step']:08d}"
    folder = output / FOLDER / tag
    if dist.get_rank() == 0 and folder.exists():
        shutil.rmtree(folder)  # an incomplete one of a killed run, or of the same step
    dist.barrier()
    try:
        engine.save_checkpoint(str(folder.parent), tag=tag, save_latest=False)
    except (OSError, RuntimeError) as error:  # torch raises either where a disk is full
        raise ValueError(f"{folder}: the checkpoint cannot be written ({error})") from error
    dist.barrier()
    if dist.get_rank() == 0:
        _complete(folder, state)
        for old in checkpoint_folders(output)[:-keep]:
            shutil.rmtree(old)


def _complete(folder: Path, state: dict[str, Any]) -> None:
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    temporary = folder / f"{STATE}.tmp"
    content = {**state, "ranks": dist.get_world_size(), "files": sizes}
    try:
        temporary.write_text(json.dumps(content))
        os.replace(temporary, folder / STATE)
    except OSError as error:
        raise ValueError(f"{folder}: the checkpoint cannot be written ({error})") from error


def newest_sound(output: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint whose files are what was written, with its state; the same on all ranks.

    Damaged ones are passed over, which rank 0 says. Raises ValueError where all are damaged.
    """
    folders = _agreed_folders(output)
    for folder in reversed(folders):
        problem = _agreed_problem(folder)
        if problem is None:
            return folder, json.loads((folder / STATE).read_text())
        if dist.get_rank() == 0:
            print(f"{folder.name} is damaged ({problem}): looking for an earlier one", flush=True)
    if folders:
        raise ValueError(f"{output / FOLDER}: every checkpoint is damaged; start with --no-resume")
    return None


def _agreed_folders(output: Path) -> list[Path]:
    """What rank 0 sees: other nodes may still see, on a shared disk, what it has just set aside, and would wait for the
    others to look at it with them."""
    names = [[path.name for path in checkpoint_folders(output)] if dist.get_rank() == 0 else []]
    dist.broadcast_object_list(names)
    return [output / FOLDER / name for name in names[0]]


def _agreed_problem(folder: Path) -> str | None:
    """What is wrong with a checkpoint; each rank looks at its share of the files."""
    problems: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(problems, _problem(folder, dist.get_rank(), dist.get_world_size()))
    return next((problem for problem in problems if problem is not None), None)


def _problem(folder: Path, rank: int, ranks: int) -> str | None:
    try:
        files = json.loads((folder / STATE).read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{STATE}: {error}"
    for name, size in sorted(files.items())[rank::ranks]:
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return f"{name} is not as it was written"
        # What torch writes is a zip file, with a checksum of everything in it.
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                bad = archive.testzip()
            if bad is not None:
                return f"{name} is not as it was written"
        elif path.suffix == ".pt":
            return f"{name} is not as it was written"
    return None


def load_checkpoint(engine: Any, folder: Path) -> None:
    """Restores a checkpoint into the engine. Raises ValueError where it cannot be read."""
    try:
        engine.load_checkpoint(str(folder.parent), tag=folder.name)
    except Exception as error:  # DeepSpeed raises assertion, zip and key errors alike
        raise ValueError(
            f"{folder}: cannot be resumed from ({type(error).__name__}: {error})"
        ) from error
