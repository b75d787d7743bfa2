"""Data sets of a hub, read once through ``datasets`` and kept as a file of lines whose name states its contents."""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

from ...errors import UserError
from ...shapes import JsonObject
from .row import from_values

PREFIX = "hub:"
HUB = "https://huggingface.co"  # another hub may have other rows under the same name
DEFAULT_SPLIT, DEFAULT_REVISION = "train", "main"
FORM = "hub:ORGANISATION/NAME[/CONFIGURATION][:SPLIT][@REVISION]"
_REFERENCE = re.compile(
    r"hub:(?P<name>[\w.-]+/[\w.-]+)(?:/(?P<config>[\w.-]+))?"
    r"(?::(?P<split>[\w.-]+))?(?:@(?P<revision>[\w./-]+))?",
    re.ASCII,
)
MEDIA = ("Image", "Audio", "Video", "Pdf", "Nifti")  # features that ``datasets`` would decode
DIGITS = 16  # of the content's SHA-256, in the file's name


class Reference(NamedTuple):
    """What a reference names."""

    name: str  # organisation/name
    config: str | None
    split: str
    revision: str


def parse_reference(reference: str) -> Reference:
    """The parts of a reference. Raises UserError where it does not have the form ``FORM``."""
    found = _REFERENCE.fullmatch(reference)
    if found is None or ".." in reference:
        raise UserError(f"{reference[:200]}: is not a data set of a hub, which are written {FORM}")
    return Reference(
        found["name"],
        found["config"],
        found["split"] or DEFAULT_SPLIT,
        found["revision"] or DEFAULT_REVISION,
    )


def materialise(reference: str, folder: Path) -> Path:
    """The file, below ``folder``, with the rows of a data set; loaded only where there is no such file yet.

    Its name states the requested revision, the hub if it is not the usual one, and a hash of the contents: a revision
    that moves is not read again. Raises UserError where ``datasets`` is not installed, or cannot read the data set.
    """
    wanted = parse_reference(reference)
    parts = [wanted.name, wanted.config or "default", wanted.split, wanted.revision]
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if endpoint not in ("", HUB):
        parts.append(endpoint)
    stem = "--".join(quote(part, safe="") for part in parts)
    present = _present(folder, stem)
    if present is None:
        rows = _load(reference, wanted)
        try:
            _write(reference, rows, folder, stem)
        except OSError as error:
            raise UserError(f"{folder}: {reference} cannot be kept there ({error})") from error
        present = _present(folder, stem)
        assert present is not None
    return present


def _present(folder: Path, stem: str) -> Path | None:
    """The first such file; there may be several, if two processes read a revision while it moved."""
    pattern = f"{glob.escape(stem)}--{'[0-9a-f]' * DIGITS}.jsonl"
    return min(folder.glob(pattern), default=None)


def _load(reference: str, wanted: Reference) -> Iterable[JsonObject]:
    try:
        import datasets
    except ImportError as error:
        raise UserError(
            f'{reference}: reading it needs datasets: pip install "datasets>=4" ({error})'
        ) from None
    try:
        loaded = datasets.load_dataset(
            wanted.name,
            wanted.config,
            split=wanted.split,
            revision=wanted.revision,
            streaming=True,  # otherwise it keeps two more copies
        )
        rows: Iterable[JsonObject] = loaded.decode(False) if _has_media(loaded) else loaded
        return rows
    except Exception as error:  # the library passes on errors of a dozen others
        raise _unreadable(reference, error) from error


def _has_media(rows: Any) -> bool:
    """Whether rows have pictures or sounds, which stay bytes: nothing here reads them."""
    features = getattr(rows, "features", None)
    return features is not None and any(f"{kind}(" in repr(features) for kind in MEDIA)


def _unreadable(reference: str, error: Exception) -> UserError:
    said = " ".join(str(error).split())[:500] or type(error).__name__
    return UserError(f"{reference}: datasets cannot read it ({said})")


def _write(reference: str, rows: Iterable[JsonObject], folder: Path, stem: str) -> None:
    """Writes the rows under a temporary name, and renames the file once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{stem}.{uuid4().hex}"
    digest = hashlib.sha256()
    number = 0
    try:
        with draft.open("wb") as stream:
            for line in _lines(reference, rows):
                number += 1
                stream.write(line)
                digest.update(line)
            stream.flush()
            os.fsync(stream.fileno())
        if number == 0:
            raise UserError(f"{reference}: has no rows")
        os.replace(draft, folder / f"{stem}--{digest.hexdigest()[:DIGITS]}.jsonl")
    finally:
        draft.unlink(missing_ok=True)


def _lines(reference: str, rows: Iterable[JsonObject]) -> Iterable[bytes]:
    entries = iter(rows)
    number = 0
    while True:
        number += 1
        try:
            values = next(entries)
        except StopIteration:
            return
        except Exception as error:  # from the network, or about the data set's own files
            raise _unreadable(reference, error) from error
        row = from_values(number, values)
        if row.problem is not None:
            raise UserError(f"{reference}: row {number} {row.problem}")
        yield row.content + b"\n"
