"""Rows and files for the tests of readers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skrull_runtime.data.readers import open_rows
from skrull_runtime.errors import UserError

ROWS: list[dict[str, Any]] = [
    {"messages": [{"role": "user", "content": f'{n} + 1? "é", \\ [{{,'}], "id": n} for n in range(200)
]  # fmt: skip
LINES = [json.dumps(row, ensure_ascii=False).encode() for row in ROWS]
JSONL = b"\n".join(LINES) + b"\n"
INDENTED = json.dumps(ROWS, indent=2).encode()


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def contents(path: Path) -> list[Any]:
    """What the rows of a file hold; all of them can be used."""
    rows = list(open_rows(path))
    assert [row.problem for row in rows] == [None] * len(rows)
    return [json.loads(row.content) for row in rows]


def error(path: Path) -> str:
    with pytest.raises(UserError) as raised:
        list(open_rows(path))
    assert str(path) in str(raised.value)
    return str(raised.value)


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def arrow_file(path: Path, rows: list[dict] = ROWS) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, 70)


def arrow_stream(path: Path, rows: list[dict] = ROWS) -> None:
    table = pa.Table.from_pylist(rows)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, 70)


def parquet(path: Path, rows: list[dict] = ROWS) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=70)
