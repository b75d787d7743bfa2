"""Parquet and Arrow files to their rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_formats import (
    JSONL,
    ROWS,
    arrow_file,
    arrow_stream,
    contents,
    error,
    file,
    parquet,
)

from skrull_runtime.data.readers import open_rows


@pytest.mark.parametrize("write", [parquet, arrow_file, arrow_stream])
@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a"])
def test_columnar_files_are_told_by_their_bytes(tmp_path: Path, write: Callable, name: str):
    write(tmp_path / name)
    assert contents(tmp_path / name) == ROWS
    assert [row.number for row in open_rows(tmp_path / name)] == list(range(1, 201))


@pytest.mark.parametrize("write", [parquet, arrow_file, arrow_stream])
def test_nulls_of_a_table_are_left_out_and_bytes_are_no_text(tmp_path: Path, write: Callable):
    rows = [
        {"a": {"x": 1, "y": None}, "image": b"\x00\xff"},
        {"a": {"x": None, "y": [None, "z"]}, "b": None},
    ]
    write(tmp_path / "a", rows)
    assert contents(tmp_path / "a") == [
        {"a": {"x": 1}, "image": {"bytes": 2}}, {"a": {"y": [None, "z"]}},
    ]  # fmt: skip


@pytest.mark.parametrize("known", [True, False])
def test_json_within_tables_is_what_it_says(tmp_path: Path, known: bool):
    """``datasets`` writes lists of mixed objects as texts of the type arrow.json, which not every pyarrow knows."""
    texts = ['{"role": "user", "n": null}', None, "[1]", "not JSON"]
    if known:
        kind = getattr(pa, "json_", lambda: pytest.skip("this pyarrow does not know the type"))()
        item = pa.field("item", kind)
    else:
        item = pa.field("item", pa.string(), metadata={"ARROW:extension:name": "arrow.json"})
    lists = pa.list_(pa.struct([pa.field("a", pa.list_(item)), ("b", pa.string())]))
    storage = pa.array([[{"a": texts, "b": "[2]"}]], lists) if not known else None
    if known:
        inner = pa.ExtensionArray.from_storage(kind, pa.array(texts))
        offsets = pa.array([0, 4], pa.int32())
        row = pa.StructArray.from_arrays(
            [pa.ListArray.from_arrays(offsets, inner), pa.array(["[2]"])], names=["a", "b"]
        )
        storage = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), row)
    table = pa.table({"messages": storage})
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_stream(str(tmp_path / "a.arrow"), table.schema) as writer:
        writer.write_table(table)
    wanted = {"a": [{"role": "user", "n": None}, None, [1], "not JSON"], "b": "[2]"}
    for name in ("a.parquet", "a.arrow"):
        assert contents(tmp_path / name) == [{"messages": [wanted]}]


def test_types_that_json_does_not_have_become_text(tmp_path: Path):
    import datetime
    import decimal

    rows = [{"day": datetime.date(2024, 7, 26), "sum": decimal.Decimal("1.50"), "n": float("nan")}]
    parquet(tmp_path / "a.parquet", rows)
    (content,) = contents(tmp_path / "a.parquet")
    assert (content["day"], content["sum"]) == ("2024-07-26", "1.50")


def test_text_that_is_not_utf8_is_a_problem_of_its_row(tmp_path: Path):
    texts = pa.array([b"good", b"\xff\xfe", b"fine"]).view(pa.string())
    turns = pa.array([[{"content": b"good"}], [{"content": b"\xff"}], []])
    lists = turns.view(pa.list_(pa.struct([("content", pa.string())])))
    for values in (texts, lists):
        table = pa.table({"text": values})
        pq.write_table(table, tmp_path / "a.parquet")
        with pa.ipc.new_stream(str(tmp_path / "a.arrow"), table.schema) as writer:
            writer.write_table(table)
        for name in ("a.parquet", "a.arrow"):
            rows = list(open_rows(tmp_path / name))
            assert [row.problem for row in rows] == [None, "holds text that is not UTF-8", None]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".jsonl.gz", ".json.zst"])
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, suffix: str):
    for content in (JSONL, b""):
        assert "as its name says" in error(file(tmp_path, f"a{suffix}", content))


def test_a_date_that_python_does_not_have_is_a_problem_of_its_row(tmp_path: Path):
    days = pa.array([0, 2**31 - 1], pa.int32()).view(pa.date32())
    pq.write_table(pa.table({"day": days}), tmp_path / "a.parquet")
    rows = list(open_rows(tmp_path / "a.parquet"))
    assert rows[0].problem is None and "cannot be read" in rows[1].problem
