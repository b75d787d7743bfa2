"""What is known about a data file: the digest of its content and its blocks, until its size, inode or time changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from ...errors import UserError
from ..readers import open_rows
from .blocks import Block, blocks_of
from .store import digest

Mark = list[list[int]]  # size, inode and time of every file


@dataclass(frozen=True)
class KnownBlock:
    """Where a block begins, and the digest of its rows."""

    sha256: str
    first: int  # number of its first row
    bytes: int


@dataclass(frozen=True)
class KnownFile:
    """The content of a data file, or of a folder that is one data set."""

    sha256: str
    bytes: int
    blocks: list[KnownBlock]


def mark_of(path: Path) -> Mark:
    """A mark that changes whenever a file is written or replaced. Raises UserError where the file is missing."""
    try:
        found = [os.stat(part) for part in _parts(path)]
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error
    return [[status.st_size, status.st_ino, status.st_mtime_ns] for status in found]


def content_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, or over all files of a folder. Raises UserError where they cannot be read."""
    parts = _parts(path)
    try:
        if parts == [path]:
            return _sha256(path)
        return digest([[str(part.relative_to(path)), _sha256(part)] for part in parts])
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error


def _sha256(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            made.update(piece)
    return made.hexdigest()


def _parts(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(part for part in path.rglob("*") if part.is_file())


class FileReading:
    """One reading of a data file: its blocks as they are read, then what is known about it."""

    def __init__(self, path: Path, cache: Path):
        self._path, self._mark = path, mark_of(path)
        self._note = cache / "files" / f"{digest(str(path.absolute()))}.json"
        self._blocks: list[KnownBlock] = []

    def known(self) -> KnownFile | None:
        """What is known from an earlier reading, if the file has not changed; otherwise None."""
        try:
            note = json.loads(self._note.read_text())
            if note["mark"] != self._mark:
                return None
            blocks = [KnownBlock(*entry) for entry in note["blocks"]]
            return KnownFile(note["sha256"], note["bytes"], blocks)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def blocks(self) -> Iterator[Block]:
        """The blocks in order. Raises UserError where the file cannot be read."""
        self._blocks = []
        for block in blocks_of(open_rows(self._path)):
            self._blocks.append(KnownBlock(block.sha256, block.first, block.bytes))
            yield block

    def finish(self, hashed: Callable[[Path], str] = content_digest) -> KnownFile:
        """What is known after all blocks were read. Raises UserError where the file was written to meanwhile."""
        found = KnownFile(hashed(self._path), sum(m[0] for m in self._mark), self._blocks)
        if mark_of(self._path) != self._mark:
            raise UserError(f"{self._path}: was changed while it was read; try again")
        self._keep(found)
        return found

    def _keep(self, found: KnownFile) -> None:
        blocks = [[b.sha256, b.first, b.bytes] for b in found.blocks]
        note = {"mark": self._mark, "sha256": found.sha256, "bytes": found.bytes, "blocks": blocks}
        temporary = self._note.with_suffix(f".{uuid4().hex}.tmp")
        try:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(note))
            os.replace(temporary, self._note)
        except OSError:
            return  # it is read again next time
