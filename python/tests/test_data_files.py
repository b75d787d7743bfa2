"""What a path stands for: a file, a folder of them, a saved data set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data_formats import (
    JSONL,
    ROWS,
    arrow_stream,
    contents,
    error,
    file,
)

from skrull_runtime.data.readers import data_files, open_rows
from skrull_runtime.errors import UserError


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
