"""What a path from the user stands for: a file, or the data files of a folder."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import TypedDict

from ...contract import document
from ...documents import outside
from ...errors import UserError
from ...shapes import JsonObject

STATE, SPLITS = "state.json", "dataset_dict.json"  # written by save_to_disk of ``datasets``


class Suffixes(TypedDict):
    """Ends of the names of data files, from ``contract/data-names.json``."""

    rows: list[str]
    compressed: list[str]
    columnar: list[str]
    beside: list[str]  # whole names of files that are not data


@cache
def _known() -> Suffixes:
    suffixes: Suffixes = document("data-names.json")["suffixes"]
    return suffixes


def data_files(path: Path) -> list[Path]:
    """The data files that a path stands for, sorted; a folder of ``save_to_disk`` is one of them.

    Raises UserError where there are none, and for a saved data set of several splits.
    """
    if path.is_file() or is_saved(path):
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: {_missing(path)}")
    _refuse_splits(path)
    found = sorted(_below(path, frozenset()))
    if not found:
        suffixes = ", ".join([*_known()["rows"], *_known()["columnar"]])
        raise UserError(f"{path}: no data file is in this folder (one that ends in {suffixes})")
    return found


def _missing(path: Path) -> str:
    return (
        "is neither a file nor a folder"
        if os.path.lexists(path)
        else "there is no such file or folder"
    )


def is_saved(path: Path) -> bool:
    """Whether a folder is a data set, or a split of one, that ``save_to_disk`` wrote."""
    return (path / STATE).is_file() and isinstance(_read(path / STATE).get("_data_files"), list)


def saved_files(path: Path) -> list[Path]:
    """The Arrow files of a saved data set, in order. Raises UserError where it does not name files of its own."""
    state = _read(path / STATE)
    if state.get("_indices_data_files") or state.get("_indices_files"):
        raise UserError(f"{path}: its rows are chosen by indices; save it anew: flatten_indices()")
    entries = state["_data_files"]
    found = [entry.get("filename") if isinstance(entry, dict) else None for entry in entries]
    names = [name for name in found if isinstance(name, str) and outside(name) is None]
    if len(names) < len(found):
        raise UserError(f"{path / STATE}: does not name the files of the data set")
    for name in names:
        if not (path / name).is_file():
            raise UserError(f"{path}: its file {name} is missing")
    return [path / name for name in names]


def _refuse_splits(path: Path) -> None:
    if not (path / SPLITS).is_file():
        return
    splits = _read(path / SPLITS).get("splits")
    names = [str(name) for name in splits] if isinstance(splits, list) else []
    example = f"{path.name}/{names[0]}" if names else "the folder of one"
    raise UserError(f"{path}: has the splits {', '.join(names)}; name one of them: {example}")


def _read(path: Path) -> JsonObject:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _below(folder: Path, above: frozenset[Path]) -> list[Path]:
    """Data files below a folder, following links but not cycles. Hidden files are left out."""
    real = folder.resolve()
    if real in above:
        return []
    found = []
    for entry in sorted(_entries(folder)):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            _refuse_splits(entry)
            found += [entry] if is_saved(entry) else _below(entry, above | {real})
        elif entry.is_file() and is_data(entry.name):
            found.append(entry)
    return found


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error


def is_data(name: str) -> bool:
    """Whether a file of this name holds rows, as far as the name tells."""
    known = _known()
    if name in known["beside"]:
        return False
    return name.lower().endswith(tuple(known["columnar"])) or kind(name) in known["rows"]


def kind(name: str) -> str:
    """The suffix that says how rows are written, in lower case, without a suffix for compression."""
    name = name.lower()
    for packed in _known()["compressed"]:
        name = name.removesuffix(packed)
    return os.path.splitext(name)[1]
