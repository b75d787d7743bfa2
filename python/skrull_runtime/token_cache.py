"""Tokens on disk beside the run: a sample is tokenised once, and read in later epochs, by other ranks, after a resume.

One file of a fixed layout: every sample has a slot of its length, known since it was compiled. So ranks need no lock:
they write the same bytes to the same places. A slot counts only if its checksum fits; one that is missing, torn or
damaged is made again. Whatever fails, a run goes on without the file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zlib
from array import array
from contextlib import suppress
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path

import numpy as np

from .agreement import digest_of
from .config import DataConfig
from .tokenization import IGNORED, Tokens

VARIABLE = "SKRULL_TOKEN_CACHE"  # another folder, or "off"
FOLDER = "token_cache"
VERSION = 1
MOST_BYTES = 32 * 2**30
SHARE_OF_FREE = 4  # at most one part in so many of the free disk: checkpoints need it more
WORD = np.dtype("<u4")  # a token's id * 2, + 1 where the next token is a target of the loss
LARGEST_ID = 2**31 - 1


def cache_file(run_dir: Path, index_file: Path, data: DataConfig, tokenizer: str) -> Path | None:
    """Where the tokens of an index are kept: named by all that they depend on. None where they are not kept."""
    chosen = os.environ.get(VARIABLE)
    if chosen == "off":
        return None
    # One folder may serve several runs, of which each keeps only its newest files.
    own = digest_of(str(run_dir.resolve()))[:16]
    folder = Path(chosen) / own if chosen else run_dir / FOLDER
    settings = {**asdict(data), "root": None, "tokenizer": None, "version": VERSION}
    try:
        key = digest_of(index_file.read_bytes(), settings, _tokenizer_digest(tokenizer))
    except OSError:
        return None  # who needs the tokenizer says what is wrong with it
    return folder / f"{index_file.stem}-{key[:32]}.tokens"


def _tokenizer_digest(tokenizer: str) -> str:
    """Of the tokenizer's file and of the library that reads it."""
    if tokenizer == "bytes":
        return tokenizer
    import tokenizers

    path = Path(tokenizer)
    content = (path / "tokenizer.json" if path.is_dir() else path).read_bytes()
    return f"{tokenizers.__version__} {hashlib.sha256(content).hexdigest()}"


class TokenCache:
    """The tokens of the samples of one index."""

    def __init__(self, path: Path, lengths: list[int]):
        self._path, self._lengths = path, lengths
        ends = accumulate((4 * (1 + length) for length in lengths), initial=0)
        self._starts = array("q", ends)  # a fifth of a list: there may be millions
        self._file: int | None = None
        self._limit = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            self._remove_earlier()
            room = shutil.disk_usage(path.parent).free + 512 * os.fstat(self._file).st_blocks
            self._limit = min(MOST_BYTES, room // SHARE_OF_FREE)
        except OSError as error:
            self._give_up(error)

    def get(self, sample: int) -> Tokens | None:
        """A sample's tokens, if they are here and sound."""
        start, end = self._starts[sample : sample + 2]
        if end > self._limit or self._file is None:
            return None
        try:
            slot = os.pread(self._file, end - start, start)
        except OSError as error:
            self._give_up(error)
            return None
        if len(slot) != end - start or int.from_bytes(slot[:4], "little") != _checksum(slot[4:]):
            return None
        return _unpacked(np.frombuffer(slot, WORD, offset=4))

    def put(self, sample: int, tokens: Tokens) -> None:
        """Keeps a sample's tokens, if there is room and they have this file's form."""
        start, end = self._starts[sample : sample + 2]
        if end > self._limit or self._file is None or len(tokens.ids) != self._lengths[sample]:
            return
        words = _packed(tokens)
        if words is None:
            return
        content = words.tobytes()
        try:
            os.pwrite(self._file, _checksum(content).to_bytes(4, "little") + content, start)
        except OSError as error:
            self._give_up(error)

    def _remove_earlier(self) -> None:
        """Of the same index, as compiled before: a run keeps one file of each."""
        index = self._path.name.rsplit("-", 1)[0]
        for other in self._path.parent.glob(f"{index}-*.tokens"):
            if other != self._path:
                other.unlink(missing_ok=True)

    def _give_up(self, error: OSError) -> None:
        """The run trains on; what the file takes of a full disk is given back."""
        print(f"note: tokens are not kept on disk ({error}); they are made when needed", flush=True)
        if self._file is not None:
            with suppress(OSError), open(self._file, "rb+", buffering=0) as file:
                file.truncate(0)
        self._file = None


def _checksum(content: bytes) -> int:
    return zlib.crc32(content) | 1  # never that of a slot that nobody has written


def _packed(tokens: Tokens) -> np.ndarray | None:
    """A word a token; None where a label is not the next token, which this form cannot hold."""
    ids, labels = np.asarray(tokens.ids, np.int64), np.asarray(tokens.labels, np.int64)
    counted = labels != IGNORED
    if len(ids) == 0 or counted[-1] or not 0 <= ids.min() <= ids.max() <= LARGEST_ID:
        return None
    if not np.array_equal(labels[:-1][counted[:-1]], ids[1:][counted[:-1]]):
        return None
    return (2 * ids + counted).astype(WORD)


def _unpacked(words: np.ndarray) -> Tokens:
    ids = (words >> 1).astype(np.int64)
    labels = np.full_like(ids, IGNORED)
    np.copyto(labels[:-1], ids[1:], where=(words[:-1] & 1).astype(bool))
    return Tokens(ids, labels)
