"""The samples of a run: where each lies (``data_index.json``), and its tokens, checked against what was compiled."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path, PurePosixPath

from .config import DataConfig
from .errors import UserError
from .rendering import read_row, render
from .tokenization import IGNORED, Encode, Tokens, tokenize_segments

ROOT_VARIABLE = "SKRULL_DATA_ROOT"


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
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts:
        raise UserError(f"{path!r} leaves the data root")
    return root / pure


class SampleIndex:
    """Samples by number: lengths and targets are known, tokens are read on demand."""

    def __init__(self, index_file: Path, config: DataConfig, root: Path):
        document = json.loads(index_file.read_text(encoding="utf-8"))
        if document.get("format_version") != 1:
            raise UserError(f"{index_file}: is not a sample index of version 1")
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
