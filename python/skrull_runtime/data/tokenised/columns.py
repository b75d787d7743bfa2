"""Tables of columns in a safetensors file: integers that are mapped, not parsed, and a description of them as JSON."""

from __future__ import annotations

import json
import mmap
import os
import struct
from array import array
from pathlib import Path
from typing import Literal
from uuid import uuid4

from ...errors import UserError
from ...guarding.disk import writing
from ...shapes import JsonObject

TYPES: dict[str, Literal["B", "I", "Q"]] = {"U8": "B", "U32": "I", "U64": "Q"}
CODES: dict[str, str] = {code: name for name, code in TYPES.items()}
DESCRIPTION = "skrull"  # key of the metadata that holds the description
LARGEST_HEADER = 256 << 20  # bytes


class DamagedTable(UserError):
    """A table's file that is not whole."""


def write_table(path: Path, columns: dict[str, array[int]], description: JsonObject) -> None:
    """Writes a table whole or not at all. Raises UserError where the disk does not allow it."""
    # The widest first, so that every column begins at a multiple of its items' size.
    ordered = sorted(columns.items(), key=lambda item: (-item[1].itemsize, item[0]))
    # Two machines that share the folder may have equal process numbers.
    temporary = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    with writing(path.parent, "tokens"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(_header(ordered, description))
                for _, column in ordered:
                    file.write(memoryview(column).cast("B"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _header(columns: list[tuple[str, array[int]]], description: JsonObject) -> bytes:
    text = json.dumps(description, ensure_ascii=False, sort_keys=True)
    header: JsonObject = {"__metadata__": {DESCRIPTION: text}}
    at = 0
    for name, column in columns:
        end = at + len(column) * column.itemsize
        header[name] = {
            "dtype": CODES[column.typecode],
            "shape": [len(column)],
            "data_offsets": [at, end],
        }
        at = end
    written = json.dumps(header, ensure_ascii=False).encode()
    written += b" " * (-len(written) % 8)
    return struct.pack("<Q", len(written)) + written


class Table:
    """A table in a file, mapped. Its columns are memoryviews of integers."""

    def __init__(self, path: Path):
        """Raises FileNotFoundError, and DamagedTable where the file is not a table."""
        self._path = path
        with path.open("rb") as file:
            try:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError as error:  # an empty file
                raise DamagedTable(f"{path}: is empty") from error
        try:
            self._read(memoryview(self._map))
        except (ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise DamagedTable(f"{path}: is not a table of columns ({error})") from error

    def _read(self, content: memoryview) -> None:
        (size,) = struct.unpack("<Q", content[:8])
        if size > min(LARGEST_HEADER, len(content) - 8):
            raise ValueError("its header is longer than it is")
        header = json.loads(bytes(content[8 : 8 + size]))
        self.description: JsonObject = json.loads(header.pop("__metadata__")[DESCRIPTION])
        self._columns: dict[str, memoryview[int]] = {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            if not 0 <= start <= end <= len(content) - 8 - size:
                raise ValueError(f"{name} is cut off")
            part = content[8 + size + start : 8 + size + end]
            self._columns[name] = part.cast(TYPES[entry["dtype"]])

    def __reduce__(self) -> tuple[type[Table], tuple[Path]]:
        return Table, (self._path,)

    def __getitem__(self, name: str) -> memoryview[int]:
        return self._columns[name]

    def __contains__(self, name: str) -> bool:
        return name in self._columns
