"""Checkpoints: they count only once they are written whole, a limited number is kept, and a run resumes from the newest
that is complete and sound."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from functools import partial
from pathlib import Path
from typing import Any, TypedDict

import torch
import torch.distributed as dist

from ..contract.records import CheckpointState, SamplerState
from ..documents import outside, read_document
from ..errors import UserError
from ..guarding.disk import writing
from ..guarding.reasons import is_symptom
from ..process.agreement import attempted, require_success
from .unpickling import problem_in, restricted

FOLDER = "checkpoints"
# Written last, by rank 0, after every rank has written its part: a folder without it does not count.
STATE = "skrull_state.json"
# No sound file makes loading raise these: the program is at fault.
FAULTS = (AttributeError, ImportError, NameError, torch.OutOfMemoryError)
STATE_SCHEMA = "checkpoint-state.schema.json"


class TrainedState(TypedDict):
    """What a checkpoint is of, the same on all ranks."""

    sampler: SamplerState
    data: str  # digest of the data
    defaults: dict[str, str]
    attention: str  # name of the kernel


def folder_name(steps: int) -> str:
    """The name of the folder of the checkpoint after that many steps."""
    return f"step-{steps:08d}"


def require_own(folder: Path) -> None:
    """Collective. Raises UserError where a file names code that no run of ours writes: it must not be unpickled."""
    problem = problem_in(folder, dist.get_rank(), dist.get_world_size())
    if problem is not None:
        problem = f"{problem}. Resume from a checkpoint of your own, or start with --no-resume"
    require_success(problem)


def checkpoint_folders(output: Path) -> list[Path]:
    """Complete checkpoints, oldest first."""
    return sorted(path.parent for path in (output / FOLDER).glob(f"step-*/{STATE}"))


def save_checkpoint(engine: Any, output: Path, state: TrainedState, keep: int) -> None:
    """Writes a checkpoint on all ranks and removes the oldest beyond ``keep``. ``state`` is the same on all ranks.

    Raises UserError where it cannot be written; earlier ones are then unchanged.
    """
    tag = folder_name(state["sampler"]["step"])
    folder = output / FOLDER / tag
    problem = None
    if dist.get_rank() == 0 and folder.exists():
        # An incomplete checkpoint of a killed run, or an earlier one of the same step.
        _, problem = attempted(lambda: shutil.rmtree(folder))
    require_success(problem)
    with writing(folder, "the checkpoint"):
        engine.save_checkpoint(str(folder.parent), tag=tag, save_latest=False)
    dist.barrier()
    if dist.get_rank() == 0:
        _complete(folder, state)
        _remove_earlier(folder, keep)


def _remove_earlier(newest: Path, keep: int) -> None:
    """Removes complete checkpoints beyond ``keep``, and what killed runs have left. Later ones are damaged, and do not
    count."""
    kept = [path for path in checkpoint_folders(newest.parent.parent) if path.name <= newest.name]
    earlier = [path for path in sorted(newest.parent.glob("step-*")) if path.name < newest.name]
    conversions = list(newest.parent.glob("universal-*"))
    for path in [*conversions, *(path for path in earlier if path not in kept[-keep:])]:
        _, problem = attempted(partial(shutil.rmtree, path))
        # A file may be open on another machine; the next checkpoint tries again.
        if problem is not None:
            print(f"note: {path.name} cannot be removed ({problem})", flush=True)


def _complete(folder: Path, state: TrainedState) -> None:
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    temporary = folder / f"{STATE}.tmp"
    content: CheckpointState = {**state, "ranks": dist.get_world_size(), "files": sizes}
    with writing(folder, "the checkpoint"):
        temporary.write_text(json.dumps(content))
        os.replace(temporary, folder / STATE)


def newest_sound(output: Path) -> tuple[Path, CheckpointState] | None:
    """The newest checkpoint whose files are as they were written, with its state; the same on all ranks.

    Damaged ones are skipped, and rank 0 says so. Raises UserError where all are damaged.
    """
    folders = _agreed_folders(output)
    for folder in reversed(folders):
        problem = _agreed_problem(folder)
        if problem is None:
            return folder, _read_state(folder)
        if dist.get_rank() == 0:
            print(f"{folder.name} is damaged ({problem}): looking for an earlier one", flush=True)
    if folders:
        raise UserError(f"{output / FOLDER}: every checkpoint is damaged; start with --no-resume")
    return None


def _agreed_folders(output: Path) -> list[Path]:
    """The folders that rank 0 sees: on a shared disk, other nodes may still see what it has just set aside, and would wait
    for the others to check it with them."""
    names = [[path.name for path in checkpoint_folders(output)] if dist.get_rank() == 0 else []]
    dist.broadcast_object_list(names)
    return [output / FOLDER / name for name in names[0]]


def _agreed_problem(folder: Path) -> str | None:
    """What is wrong with a checkpoint; each rank looks at its share of the files."""
    problems: list[str | None] = [None] * dist.get_world_size()
    dist.all_gather_object(problems, _problem(folder, dist.get_rank(), dist.get_world_size()))
    return next((problem for problem in problems if problem is not None), None)


def _problem(folder: Path, rank: int, ranks: int) -> str | None:
    name = STATE
    try:
        files = _read_state(folder)["files"]
        for name, size in sorted(files.items())[rank::ranks]:
            if not _is_sound(folder / name, size):
                return f"{name} is not as it was written"
    except UserError as error:
        return str(error)
    except Exception as error:  # a damaged zip file raises any of many
        return f"{name}: {error}"
    return None


def _read_state(folder: Path) -> CheckpointState:
    """Raises UserError where the state cannot be read or contradicts itself."""
    state: CheckpointState = read_document(folder / STATE, STATE_SCHEMA, "start with --no-resume")
    step = state["sampler"]["step"]
    problem = next(filter(None, map(outside, state["files"])), None)
    if folder.name != folder_name(step):
        problem = f"says {step} steps, and its folder's name says otherwise"
    if problem is not None:
        raise UserError(f"{folder / STATE}: {problem}; start with --no-resume")
    return state


def _is_sound(path: Path, size: int) -> bool:
    if not path.is_file() or path.stat().st_size != size:
        return False
    # torch writes zip files, which hold a checksum of every entry, and compresses nothing in them.
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
            return stored and archive.testzip() is None
    return path.suffix != ".pt"


def load_checkpoint(engine: Any, folder: Path) -> None:
    """Restores a checkpoint into the engine. Raises UserError where it cannot be read."""
    try:
        with restricted():
            engine.load_checkpoint(str(folder.parent), tag=folder.name)
    except Exception as error:  # DeepSpeed raises assertion, zip and key errors alike
        if is_symptom(error) or isinstance(error, FAULTS):
            raise
        raise UserError(
            f"{folder}: cannot be resumed from ({type(error).__name__}: {error})"
        ) from error
