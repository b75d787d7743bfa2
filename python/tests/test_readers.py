"""Files of lines, of one JSON array and of separated values, to their rows."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from data_formats import (
    INDENTED,
    JSONL,
    LINES,
    ROWS,
    contents,
    error,
    file,
    zstd,
)

from skrull_runtime.data.readers import Row, open_rows


def test_lines_are_as_they_are_written(tmp_path: Path):
    rows = list(open_rows(file(tmp_path, "a.jsonl", JSONL)))
    assert rows == [Row(n + 1, line) for n, line in enumerate(LINES)]


def test_blank_lines_marks_and_carriage_returns(tmp_path: Path):
    content = b"\xef\xbb\xbf" + LINES[0] + b"\r\n\r\n \t\n" + LINES[1]
    rows = list(open_rows(file(tmp_path, "a.jsonl", content)))
    assert rows == [Row(1, LINES[0]), Row(4, LINES[1])]


def test_what_is_wrong_within_a_row_is_for_its_layout(tmp_path: Path):
    content = b'{"a": NaN}\n{"a": \xff}\n{oops\n'
    rows = list(open_rows(file(tmp_path, "a.jsonl", content)))
    assert [row.content for row in rows] == content.split(b"\n")[:3]


def test_an_empty_file_has_no_rows(tmp_path: Path):
    for name in ("a.jsonl", "a.json", "a.csv"):
        assert list(open_rows(file(tmp_path, name, b""))) == []


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_an_object_over_several_lines_is_told(tmp_path: Path, name: str):
    content = json.dumps(ROWS[0], indent=2).encode()
    assert "an object over several lines" in error(file(tmp_path, name, content))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
@pytest.mark.parametrize("content", [JSONL, INDENTED, b"\xef\xbb\xbf" + JSONL])
@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.zst", "a.jsonl"])
def test_packed_files_are_told_by_their_bytes(
    tmp_path: Path, pack: Callable, content: bytes, name: str
):
    assert contents(file(tmp_path, name, pack(content))) == ROWS


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_packed_parts_follow_each_other(tmp_path: Path, pack: Callable):
    assert contents(file(tmp_path, "a.jsonl.gz", pack(JSONL) + pack(JSONL))) == ROWS * 2


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ROWS).encode(),
        INDENTED,
        b"[\n" + b",\n".join(LINES) + b"\n]\n",
        b"\xef\xbb\xbf \r\n [" + b" ,\r\n ".join(LINES) + b"] \n\n",
    ],
)
def test_arrays_in_every_writing(tmp_path: Path, name: str, content: bytes):
    path = file(tmp_path, name, content)
    assert contents(path) == ROWS
    assert [row.number for row in open_rows(path)] == list(range(1, 201))


def test_arrays_cut_anywhere_into_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Brackets, quotes and backslashes at every limit of a piece."""
    generator = random.Random(4)
    items = [
        {"".join(generator.choices('"\\[]{},a ', k=9)): ["".join(generator.choices('"\\,]', k=7)), {}]}
        for _ in range(40)
    ]  # fmt: skip
    path = file(tmp_path, "a.json", json.dumps(items).encode())
    for size in (*range(1, 12), 64):
        monkeypatch.setattr("skrull_runtime.data.readers.array.CHUNK", size)
        assert contents(path) == items


def test_an_array_may_be_empty(tmp_path: Path):
    for content in (b"[]", b"[\n]\n"):
        assert list(open_rows(file(tmp_path, "a.json", content))) == []


def test_a_comma_too_many_is_a_problem_of_its_row(tmp_path: Path):
    rows = list(open_rows(file(tmp_path, "a.json", b'[{"a": 1},, {"a": 2},]')))
    assert [row.problem for row in rows] == [None, "is empty: a comma too many"] * 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'[{"a": 1}, {"a": 2}', "no closing bracket (after item 1)"),
        (b'[{"a": 1}, {"a": "2', "no closing bracket (after item 1)"),
        (b"[", "no closing bracket (after item 0)"),
        (b'[{"a": 1}]\n[{"a": 2}]', "goes on after its JSON array (after item 1)"),
    ],
)
def test_an_array_that_does_not_end_as_one(tmp_path: Path, content: bytes, said: str):
    assert said in error(file(tmp_path, "a.json", content))


def test_separated_values(tmp_path: Path):
    text = '\ufeffprompt,completion\r\n"a, ""b""\nc",é\r\n\r\nd,\r\n'
    wanted = [{"prompt": 'a, "b"\nc', "completion": "é"}, {"prompt": "d", "completion": ""}]
    assert contents(file(tmp_path, "a.csv", text.encode())) == wanted
    assert contents(file(tmp_path, "a.csv.gz", gzip.compress(text.encode()))) == wanted
    assert contents(file(tmp_path, "a.tsv", b"x\ty\n1\t2,3\n")) == [{"x": "1", "y": "2,3"}]


def test_rows_of_separated_values_that_do_not_fit(tmp_path: Path):
    rows = list(open_rows(file(tmp_path, "a.csv", b"a,b\n1\n1,2,3\n\xff,1\n1,2\n")))
    assert [row.problem for row in rows] == [
        "has 1 values, and there are 2 columns", "has 3 values, and there are 2 columns",
        "is not UTF-8", None,
    ]  # fmt: skip
    assert "two columns are called 'a'" in error(file(tmp_path, "b.csv", b"a,a\n1,2\n"))
    assert "is not UTF-8" in error(file(tmp_path, "c.csv", b"a,\xff\n1,2\n"))
