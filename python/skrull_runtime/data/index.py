"""The samples of a run (``data_index.json``): the length of each, and where its tokens are in the store."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from ..config import DataConfig
from ..contract.records import DataIndex, SampleTable
from ..documents import ANEW, outside, read_document
from ..errors import UserError
from .readers import hub
from .tokenised.columns import DamagedTable, Table
from .tokenised.files import content_digest
from .tokenised.store import HUB, store_folder

ROOT_VARIABLE = "SKRULL_DATA_ROOT"
INDEX_SCHEMA = "data-index.schema.json"
COLUMNS = ("block", "row", "line", "length", "supervised", "check")
Columns = Mapping[str, Sequence[int]]


def data_root(config: DataConfig, run_dir: Path) -> Path:
    """The folder that data paths are relative to. Raises UserError where neither the run nor the environment states it."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen)
    if config.root is None:
        raise UserError(
            f"this run does not know where its data is: set {ROOT_VARIABLE} to the spec's folder"
        )
    return run_dir / config.root


def inside(root: Path, path: str) -> Path:
    """``root / path``. Raises UserError where the path would leave the root."""
    if outside(path):
        raise UserError(f"{path!r} leaves the data root")
    return root / path


def read_index(path: Path, max_length: int) -> tuple[DataIndex, Columns]:
    """A sample index that is consistent, and its columns. Raises UserError, with the place, where it is not.

    ``max_length``: the most tokens that a sample may have.
    """
    document: DataIndex = read_document(path, INDEX_SCHEMA)
    if ("samples" in document) == ("table" in document):
        raise UserError(f"{path}: has neither samples nor a table of them, or both; {ANEW}")
    if "samples" in document:
        columns = cast(Columns, document["samples"])
    else:
        columns = _mapped(path, document["table"])
    problem = index_problem(document, columns, max_length)
    if problem is not None:
        raise UserError(f"{path}: {problem}; {ANEW}")
    return document, columns


def _mapped(path: Path, entry: SampleTable) -> Columns:
    """The columns of a large index, which are in a table beside the document."""
    file = path.with_name(entry["file"])
    try:
        table = Table(file)
        columns = {name: table[name] for name in COLUMNS}
    except (OSError, DamagedTable, KeyError) as error:
        raise UserError(f"{file}: cannot be read ({error}); {ANEW}") from error
    if content_digest(file) != entry["sha256"]:
        raise UserError(f"{file}: is not the one that was compiled; {ANEW}")
    if any(len(column) != entry["count"] for column in columns.values()):
        raise UserError(f"{file}: is not of {entry['count']} samples; {ANEW}")
    return columns


def index_problem(document: DataIndex, columns: Columns, max_length: int) -> str | None:
    """What is inconsistent in an index that conforms to its schema; None where nothing is."""
    files, blocks, lengths = document["files"], document["blocks"], columns["length"]
    for entry in files:
        if problem := outside(entry["path"]):
            return problem
    for name, column in columns.items():
        if len(column) != len(lengths):
            return f"/samples/{name} has {len(column)} rows, /samples/length {len(lengths)}"
    if max(lengths) > max_length:
        return f"/samples/length has {max(lengths)} tokens, max_length is {max_length}"
    if min(lengths) < 1:
        return "/samples/length has a sample without tokens"
    if max(entry["file"] for entry in blocks) >= len(files):
        return f"/blocks names a file behind the last of {len(files)}"
    if max(columns["block"]) >= len(blocks):
        return f"/samples/block names block {max(columns['block'])} of {len(blocks)}"
    if any(
        targets > length for targets, length in zip(columns["supervised"], lengths, strict=True)
    ):
        return "/samples/supervised has more targets than the sample has tokens"
    return None


class SampleIndex:
    """Samples by number."""

    def __init__(self, index_file: Path, config: DataConfig, root: Path):
        document, columns = read_index(index_file, config.max_length)
        self.file = index_file
        self.files = document["files"]
        self.blocks = document["blocks"]
        self.columns = columns
        self.lengths = columns["length"]
        self.supervised = columns["supervised"]
        self.config = config
        self.root = root

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[type[SampleIndex], tuple[Path, DataConfig, Path]]:
        # Mapped columns cannot be pickled: another process maps them itself.
        return SampleIndex, (self.file, self.config, self.root)

    def path(self, file: int) -> Path:
        """Where a data file is on this machine. Raises UserError where it is missing."""
        name = self.files[file]["path"]
        if name.startswith(hub.PREFIX):
            return hub.materialise(name, store_folder(self.file.parent) / HUB)
        path = inside(self.root, name)
        if not path.exists():
            raise UserError(
                f"{path}: no such file; set {ROOT_VARIABLE} to the folder that the spec lies in"
            )
        return path

    def verify(self) -> None:
        """Raises UserError where a data file is missing, or is not byte for byte the one that the run was compiled with."""
        for number, entry in enumerate(self.files):
            path = self.path(number)
            if content_digest(path) != entry["sha256"]:
                raise UserError(f"{path}: has changed since the run was compiled; compile again")

    def place(self, sample: int) -> str:
        """File and line of a sample, for messages."""
        block = self.blocks[self.columns["block"][sample]]
        return f"{self.files[block['file']]['path']} line {self.columns['line'][sample]}"
