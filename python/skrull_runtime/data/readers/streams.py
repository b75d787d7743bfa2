"""Files as streams of bytes, unpacked on the way where need be, so that no archive takes more memory than a row."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UserError
from .needs import pyarrow

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
PARQUET, ARROW, STREAM = b"PAR1", b"ARROW1", b"\xff\xff\xff\xff"  # the last begins an Arrow stream
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
OTHERS = {b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zX": "xz"}
CHUNK = 1 << 20
# What is raised where packed bytes end too early or are damaged.
DAMAGE = (OSError, EOFError, zlib.error)


def head(path: Path, count: int = 8) -> bytes:
    """The first bytes of a file, not unpacked. Raises UserError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """The unpacked bytes of a file, without the byte order mark of UTF-8.

    Packed files are recognised by their first bytes, whatever their names. Raises UserError for UTF-16.
    """
    stream = _unpacked(path)
    with stream:
        first = stream.peek(len(BOM))[: len(BOM)]
        if first.startswith(UTF_16):
            raise UserError(f"{path}: is UTF-16; save it as UTF-8")
        if first == BOM:
            stream.read(len(BOM))
        yield stream


def _unpacked(path: Path) -> io.BufferedReader:
    magic = head(path, 4)
    for other, name in OTHERS.items():
        if magic.startswith(other):
            raise UserError(f"{path}: is packed by {name}; unpack it, or pack it by gzip or zstd")
    if magic.startswith(GZIP):
        return io.BufferedReader(gzip.open(path), CHUNK)
    if magic == ZSTD:
        return io.BufferedReader(_Unpacking(*_zstd(path)), CHUNK)
    for suffix, name in ((".gz", "gzip"), (".zst", "zstd")):
        if path.suffix.lower() == suffix:
            raise UserError(f"{path}: is not {name}, as its name says")
    return io.BufferedReader(path.open("rb", buffering=0), CHUNK)


def _zstd(path: Path) -> tuple[Any, type[Exception]]:
    """A stream that unpacks zstd, and the error that it raises."""
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        arrow = pyarrow(path)
        packed = arrow.OSFile(str(path))
        return arrow.CompressedInputStream(packed, "zstd"), arrow.ArrowException
    return zstd.open(path), zstd.ZstdError


class _Unpacking(io.RawIOBase):
    """A library's stream as one of Python's own, whose errors are OSErrors."""

    def __init__(self, stream: Any, error: type[Exception]):
        super().__init__()
        self._stream, self._error = stream, error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer)
        try:
            content: bytes = self._stream.read(len(room))
        except self._error as error:
            raise OSError(str(error)) from error
        room[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def damaged(path: Path, number: int, error: BaseException) -> UserError:
    """The error for a file that cannot be read on after row ``number``."""
    where = f"after row {number}" if number else "at its start"
    return UserError(f"{path}: cannot be read on {where}: it is cut off or damaged ({error})")
