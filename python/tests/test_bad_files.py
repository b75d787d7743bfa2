"""Files that are cut off, damaged or something else, and rows that are too long."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

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
    zstd,
)

from skrull_runtime.data.readers import open_rows
from skrull_runtime.data.readers import row as row_module
from skrull_runtime.data.readers.streams import CHUNK
from skrull_runtime.errors import UserError


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


# Not ru_maxrss: a process that was forked has its parent's.
MEMORY = """
import pathlib, sys
from skrull_runtime.data.readers import open_rows
problems = [row.problem for row in open_rows(pathlib.Path(sys.argv[1]))]
(peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(len(problems), problems[0], int(peak) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
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
