"""The samples of a run: where each lies (``data_index.json``), and its tokens, checked against what was compiled."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from ..config import DataConfig
from ..documents import ANEW, outside, read_document
from ..errors import UserError
from ..rendering import read_row, render
from ..tokenization import IGNORED, Encode, Tokens, tokenize_segments

ROOT_VARIABLE = "SKRULL_DATA_ROOT"
INDEX_SCHEMA = "data-index.schema.json"


def data_root(config: DataConfig, run_dir: Path) -> Path:
    """The folder that data paths start from. Raises UserError where neither the run nor the environment says."""
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


def read_index(path: Path, max_length: int) -> dict[str, Any]:
    """A sample index whose rows make sense. Raises UserError, with the place, where they do not.

    ``max_length``: tokens of the longest sample that there may be.
    """
    document = read_document(path, INDEX_SCHEMA)
    problem = index_problem(document, max_length)
    if problem is not None:
        raise UserError(f"{path}: {problem}; {ANEW}")
    return document


def index_problem(document: dict[str, Any], max_length: int) -> str | None:
    """What does not fit together in an index that is of its schema."""
    files, samples = document["files"], document["samples"]
    lengths = samples["length"]
    for entry in files:
        if problem := outside(entry["path"]):
            return problem
    for name, column in samples.items():
        if len(column) != len(lengths):
            return f"/samples/{name} has {len(column)} rows, /samples/length {len(lengths)}"
    if max(lengths) > max_length:
        return f"/samples/length has {max(lengths)} tokens, max_length is {max_length}"
    if max(samples["file"]) >= len(files):
        return f"/samples/file names file {max(samples['file'])} of {len(files)}"
    if any(
        targets > length for targets, length in zip(samples["supervised"], lengths, strict=True)
    ):
        return "/samples/supervised has more targets than the sample has tokens"
    sizes = [entry["bytes"] for entry in files]
    beyond = (
        at >= sizes[file] for at, file in zip(samples["offset"], samples["file"], strict=True)
    )
    return "/samples/offset lies behind the end of its file" if any(beyond) else None


class SampleIndex:
    """Samples by number: lengths and targets are known, tokens are read on demand."""

    def __init__(self, index_file: Path, config: DataConfig, root: Path):
        document = read_index(index_file, config.max_length)
        self.file = index_file
        self.files = document["files"]
        self.samples = document["samples"]
        self.lengths: list[int] = self.samples["length"]
        self.supervised: list[int] = self.samples["supervised"]
        self.config = config
        self.root = root

    def __len__(self) -> int:
        return len(self.lengths)

    def verify(self) -> None:
        """Raises UserError where a data file is missing or is not, byte for byte, the one compiled with."""
        for entry in self.files:
            path = inside(self.root, entry["path"])
            if not path.is_file():
                raise UserError(
                    f"{path}: no such file; set {ROOT_VARIABLE} to the folder that the spec lies in"
                )
            with path.open("rb") as stream:
                digest = (
                    hashlib.file_digest(stream, "sha256")
                    if hasattr(hashlib, "file_digest")
                    else _digest(stream)
                )
            if digest.hexdigest() != entry["sha256"]:
                raise UserError(f"{path}: has changed since the run was compiled; compile again")

    def tokens(self, sample: int, encode: Encode) -> Tokens:
        """Token ids and labels of a sample. Raises UserError where they cannot be had or are not what was measured."""
        entry = self.files[self.samples["file"][sample]]
        path = inside(self.root, entry["path"])
        try:
            with path.open("rb") as stream:
                stream.seek(self.samples["offset"][sample])
                line = stream.readline()
        except OSError as error:
            raise UserError(f"{self.place(sample)}: cannot be read ({error})") from error
        limit = self.config.max_length if self.config.overlong == "truncate" else None
        try:
            segments = render(read_row(line), self.config.rendering)
        except UserError as error:
            raise UserError(f"{self.place(sample)}: {error}") from error
        tokens = tokenize_segments(segments, encode, self.config.supervise, limit)
        targets = len(tokens.labels) - tokens.labels.count(IGNORED)
        self._require("tokens", len(tokens.ids), self.lengths[sample], sample)
        # The loss of a step is scaled by the targets that were counted.
        self._require("targets", targets, self.supervised[sample], sample)
        return tokens

    def _require(self, what: str, found: int, compiled: int, sample: int) -> None:
        if found != compiled:
            raise UserError(
                f"{self.place(sample)}: has {found} {what}, {compiled} when it was compiled"
            )

    def place(self, sample: int) -> str:
        """File and line of a sample, for messages."""
        entry = self.files[self.samples["file"][sample]]
        return f"{entry['path']} line {self.samples['line'][sample]}"


def _digest(stream):  # Python 3.10 has no hashlib.file_digest
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    return digest
