"""Files in every format that is read, whole and damaged, to their rows."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skrull_runtime.data.readers import Row, data_files, open_rows
from skrull_runtime.data.readers import row as row_module
from skrull_runtime.data.readers.streams import CHUNK
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


# --- lines


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


# --- arrays


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


# --- Parquet and Arrow


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


# --- CSV and TSV


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


# --- bad files


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_packed_file_that_is_cut_off(tmp_path: Path, pack: Callable):
    generator = random.Random(1)
    lines = [json.dumps({"text": generator.randbytes(300).hex()}) for _ in range(5000)]
    packed = pack("\n".join(lines).encode())
    path = file(tmp_path, "a.jsonl.gz", packed[: len(packed) // 2])
    read = []
    with pytest.raises(
        UserError, match=r"cannot be read on after row \d+: it is cut off"
    ) as raised:
        for row in open_rows(path):
            read.append(row)
    assert read and f"after row {len(read)}:" in str(raised.value)
    assert [row.content.decode() for row in read] == lines[: len(read)]


@pytest.mark.parametrize("write", [parquet, arrow_file, arrow_stream])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_columnar_file_that_is_cut_off(tmp_path: Path, write: Callable, share: float):
    write(tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    assert "cannot be read on" in error(file(tmp_path, "a", content[: int(len(content) * share)]))


@pytest.mark.parametrize("write", [parquet, arrow_file, arrow_stream])
def test_damage_is_an_error_of_the_users(tmp_path: Path, write: Callable):
    """Bytes changed at random: the rows, or an error that names the file, and never another."""
    write(tmp_path / "whole")
    content = bytearray((tmp_path / "whole").read_bytes())
    generator = random.Random(2)
    for _ in range(60):
        changed = bytearray(content)
        changed[generator.randrange(8, len(content) - 12)] ^= 1 << generator.randrange(8)
        path = file(tmp_path, "a", bytes(changed))
        try:
            for row in open_rows(path):
                assert row.problem or json.loads(row.content) is not None
        except UserError as raised:
            assert str(path) in str(raised)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (JSONL.decode().encode("utf-16"), "is UTF-16"),
        (b"PK\x03\x04rest", "packed by zip"),
        (b"BZh91AY", "packed by bzip2"),
        (b"\xfd7zXZ\x00", "packed by xz"),
        (b"\x1f\x8b not gzip at all", "cannot be read on at its start"),
        (b"\x28\xb5\x2f\xfd not zstd at all", "cannot be read on at its start"),
        (b"PAR1", "cannot be read on at its start"),
        (b"PAR1" + b"\x00" * 100 + b"PAR1", "cannot be read on at its start"),
        (b"ARROW1\x00\x00", "cannot be read on at its start"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, content: bytes, said: str):
    assert said in error(file(tmp_path, "a.jsonl", content))


def test_a_file_that_is_not_there(tmp_path: Path):
    assert "cannot be read" in error(tmp_path / "none.jsonl")
    assert "not one that save_to_disk wrote" in error(tmp_path)


@pytest.mark.parametrize(("name", "write"), [("a.parquet", parquet), ("a.jsonl.zst", None)])
def test_without_pyarrow_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Callable | None
):
    write(tmp_path / name) if write else file(tmp_path, name, zstd(JSONL))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    if write is None and sys.version_info >= (3, 14):
        assert contents(tmp_path / name) == ROWS
    else:
        assert 'pip install "pyarrow>=17"' in error(tmp_path / name)


def test_lines_need_no_pyarrow(tmp_path: Path):
    path = file(tmp_path, "a.jsonl", JSONL)
    code = (
        "import sys, pathlib; from skrull_runtime.data.readers import open_rows\n"
        "rows = list(open_rows(pathlib.Path(sys.argv[1])))\n"
        "heavy = {'pyarrow', 'numpy', 'torch', 'transformers', 'datasets'} & set(sys.modules)\n"
        "assert len(rows) == 200 and not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


# --- long rows


def test_a_row_that_is_too_long_is_a_problem_and_the_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(row_module, "MOST_BYTES", 1000)
    fits, long = '{"a": "' + "x" * 990 + '"}', '{"a": "' + "y" * (3 * CHUNK) + '"}'
    assert len(fits) == 999
    rows = [fits, long, fits + " ", fits + "  ", long, fits]
    problems = [None, "long", None, "long", "long", None]
    for name, content in {
        "a.jsonl": "\n".join(rows),
        "b.jsonl": "\r\n".join(rows),
        "a.json": "["
        + ",".join([fits, long, fits, fits.replace('"a"', '"abc"'), long, fits])
        + "]",
        "a.csv": "a\n"
        + "\n".join(["short", "z" * CHUNK, "short", '"' + "q\n" * 500 + '"', "w" * 1001, "short"]),
    }.items():
        found = list(open_rows(file(tmp_path, name, content.encode())))
        assert [row.problem and "long" for row in found] == problems, name
        assert {row.problem for row in found} <= {None, row_module.TOO_LONG}
    parquet(tmp_path / "a.parquet", [{"a": "x"}, {"a": "y" * 2000}])
    assert [row.problem for row in open_rows(tmp_path / "a.parquet")] == [None, row_module.TOO_LONG]


MEMORY = """
import pathlib, resource, sys
from skrull_runtime.data.readers import open_rows
problems = [row.problem for row in open_rows(pathlib.Path(sys.argv[1]))]
print(len(problems), problems[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.gz", "a.csv.gz"])
def test_a_file_of_half_a_gigabyte_in_one_row_takes_bounded_memory(tmp_path: Path, name: str):
    """A bomb: less than a megabyte that unpacks to 500. Held are at most the first 100 MB, and a copy."""
    with gzip.open(tmp_path / name, "wb", compresslevel=1) as stream:
        stream.write(b"[\n" if ".json." in name else b"a\n" if ".csv" in name else b"")
        stream.write(b'{"a": "' if ".json" in name else b"")
        for _ in range(500):
            stream.write(b"x" * 1_000_000)
        stream.write(b'"}\n]' if ".json." in name else b'"}\n' if ".jsonl" in name else b"\n")
    ran = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    count, *problem, megabytes = ran.stdout.split()
    assert count == "1" and " ".join(problem) == row_module.TOO_LONG
    assert int(megabytes) < 350


# --- folders


def test_a_folder_stands_for_its_data_files(tmp_path: Path):
    names = [
        "b.jsonl", "a.json.gz", "c.csv", "d.parquet", "sub/e.tsv", "sub/deep/f.ndjson.zst", "G.JSONL",
    ]  # fmt: skip
    others = ["README.md", "dataset_infos.json", ".hidden.jsonl", ".cache/x.jsonl", "x.txt", "y.gz"]
    for name in [*names, *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert data_files(tmp_path) == sorted(tmp_path / name for name in names)
    assert data_files(tmp_path / "x.txt") == [tmp_path / "x.txt"]


def test_links_are_followed_and_circles_are_not(tmp_path: Path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    file(outside, "a.jsonl", JSONL)
    (folder / "there").symlink_to(outside)
    (outside / "back").symlink_to(folder)
    (folder / "self").symlink_to(folder)
    (folder / "b.jsonl").symlink_to(outside / "a.jsonl")
    (folder / "broken.jsonl").symlink_to(tmp_path / "none")
    assert data_files(folder) == [folder / "b.jsonl", folder / "there/a.jsonl"]


def test_a_path_that_stands_for_nothing(tmp_path: Path):
    for path, said in ((tmp_path, "no data file"), (tmp_path / "none", "no such file or folder")):
        with pytest.raises(UserError, match=said):
            data_files(path)


def saved(folder: Path, names: tuple[str, ...] = ("data-0.arrow", "data-1.arrow")) -> Path:
    """A folder as save_to_disk of ``datasets`` writes it."""
    folder.mkdir(parents=True)
    for name in names:
        arrow_stream(folder / name)
    state = {"_data_files": [{"filename": name} for name in names], "_split": "train"}
    file(folder, "state.json", json.dumps(state).encode())
    file(folder, "dataset_info.json", b"{}")
    return folder


def test_a_saved_data_set_is_one_file(tmp_path: Path):
    folder = saved(tmp_path / "set")
    assert data_files(folder) == [folder] and data_files(tmp_path) == [folder]
    assert contents(folder) == ROWS * 2
    assert [row.number for row in open_rows(folder)][-1] == 400


def test_a_saved_data_set_of_splits_needs_one(tmp_path: Path):
    train = saved(tmp_path / "set/train")
    saved(tmp_path / "set/test")
    file(tmp_path / "set", "dataset_dict.json", b'{"splits": ["train", "test"]}')
    for path in (tmp_path / "set", tmp_path):
        with pytest.raises(UserError, match="splits train, test; name one of them: set/train"):
            data_files(path)
    assert data_files(train) == [train]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"_data_files": [{"filename": "../x.arrow"}]}, "does not name the files"),
        ({"_data_files": [{"filename": "/etc/x"}]}, "does not name the files"),
        ({"_data_files": [3]}, "does not name the files"),
        ({"_data_files": [{"filename": "gone.arrow"}]}, "its file gone.arrow is missing"),
        ({"_data_files": [], "_indices_data_files": [1]}, "flatten_indices"),
    ],
)
def test_a_saved_data_set_whose_files_cannot_be_read(tmp_path: Path, state: dict, said: str):
    file(tmp_path, "state.json", json.dumps(state).encode())
    assert said in error(tmp_path)
