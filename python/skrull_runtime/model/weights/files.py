"""The files of a pretrained model, in a folder or on the hub: names, shapes and types first, then tensors one at a time."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import torch
from safetensors import SafetensorError, safe_open
from transformers import GenerationConfig, PreTrainedModel
from transformers.utils import (
    SAFE_WEIGHTS_INDEX_NAME,
    SAFE_WEIGHTS_NAME,
    WEIGHTS_INDEX_NAME,
    WEIGHTS_NAME,
    cached_file,
)

from ...errors import UserError

# In the order of transformers: the first file that exists has the weights.
ENTRY_FILES = (SAFE_WEIGHTS_NAME, SAFE_WEIGHTS_INDEX_NAME, WEIGHTS_NAME, WEIGHTS_INDEX_NAME)
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


@dataclass(frozen=True)
class StoredTensor:
    """A tensor in a file: its shape, and its type by the name that safetensors has for it, such as ``BF16``."""

    file: Path
    shape: tuple[int, ...]
    type: str


class PretrainedFiles:
    """The tensors of all files by key. Only headers are read until :meth:`read`, except that ``*.bin`` is unpickled."""

    def __init__(self, name: str, files: list[Path]):
        self.name = name  # for messages
        self.tensors: dict[str, StoredTensor] = {}
        self._pickled: dict[Path, dict[str, torch.Tensor]] = {}
        for file in files:
            with _sound(file):
                self.tensors.update(self._header(file))

    def _header(self, file: Path) -> dict[str, StoredTensor]:
        if file.suffix == ".safetensors":
            with safe_open(file, framework="pt") as opened:
                slices = {key: opened.get_slice(key) for key in opened.keys()}  # noqa: SIM118
                return {
                    key: StoredTensor(file, tuple(part.get_shape()), part.get_dtype())
                    for key, part in slices.items()
                }
        self._pickled[file] = _unpickle(file)
        names = {value: name for name, value in TYPES.items()}
        return {
            key: StoredTensor(file, tuple(t.shape), names.get(t.dtype, str(t.dtype)))
            for key, t in self._pickled[file].items()
        }

    def read(self, key: str) -> torch.Tensor:
        """The tensor, on the host; mapped from the file if possible. Raises UserError where it cannot be read."""
        file = self.tensors[key].file
        with _sound(file):
            if file in self._pickled:
                return self._pickled[file][key]
            # Opened for each tensor: the mapping is released with it.
            with safe_open(file, framework="pt") as opened:
                tensor: torch.Tensor = opened.get_tensor(key)
                return tensor


def find_files(source: str, folder: bool, revision: str) -> PretrainedFiles:
    """The files in a folder, or of a name on the hub, from which they are fetched if need be.

    Raises UserError where there are none, where one of several is missing, or where one is damaged.
    """
    try:
        return PretrainedFiles(source, _paths(source, folder, revision))
    except OSError as error:  # the hub's and transformers' errors are among them
        advice = (
            "it must hold the weights"
            if folder
            else "is this machine online, and are you logged in to the hub?"
        )
        raise UserError(
            f"the weights of '{source}' cannot be loaded ({advice}): {error}"
        ) from error


def set_generation(model: PreTrainedModel, source: str, folder: bool, revision: str) -> None:
    """Gives the model the generation settings that came with the weights, if any, so that they are exported with it."""
    try:
        model.generation_config = GenerationConfig.from_pretrained(
            source, revision=revision, local_files_only=folder or _offline()
        )
    except OSError:
        return


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE") == "1"


def _paths(source: str, folder: bool, revision: str) -> list[Path]:
    for name in ENTRY_FILES:
        found = _path(source, name, folder, revision, required=False)
        if found is None:
            continue
        if not name.endswith(".json"):
            return [found]
        shards = [_path(source, shard, folder, revision) for shard in _shards(found)]
        return [shard for shard in shards if shard is not None]
    raise FileNotFoundError(
        f"there is none of {', '.join(ENTRY_FILES)}; shards need the index that came with them"
    )


def _path(
    source: str, name: str, folder: bool, revision: str, required: bool = True
) -> Path | None:
    if folder:
        path = Path(source) / name
        if path.is_file():
            return path
        if not required:
            return None
        raise FileNotFoundError(f"{name} is in its index, but not there: was it not copied?")
    found = cached_file(
        source,
        name,
        revision=revision,
        local_files_only=_offline(),
        _raise_exceptions_for_missing_entries=required,
    )
    return None if found is None else Path(found)


def _shards(index: Path) -> list[str]:
    """The names of the files that an index lists. Raises UserError where it is not a valid index."""
    try:
        names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        for name in names:
            pure = PurePosixPath(name)
            if pure.is_absolute() or ".." in pure.parts:
                raise UserError(f"{index}: {name!r} leaves its folder")
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"{index}: is not an index of weights ({error})") from error
    return sorted(names)


def _unpickle(file: Path) -> dict[str, torch.Tensor]:
    """Unpickles tensors and nothing else."""
    try:
        found = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except RuntimeError:  # an old format, from before zip files
        found = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(found, dict) or not all(isinstance(t, torch.Tensor) for t in found.values()):
        raise UserError(f"{file}: does not hold tensors by name")
    return found


@contextmanager
def _sound(file: Path) -> Iterator[None]:
    """Turns what libraries say about a damaged file into what to do about it."""
    try:
        yield
    except (SafetensorError, pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise UserError(
            f"{file}: cannot be read as weights ({error}): was the copy cut short? Copy or download it again"
        ) from error
