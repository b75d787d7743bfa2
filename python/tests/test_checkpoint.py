"""Which checkpoints count, and which are removed; ``test_resume`` has whole runs."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from skrull_runtime.checkpoints import save as checkpoint
from skrull_runtime.checkpoints.save import FOLDER, STATE


def write_checkpoint(output: Path, step: int, complete: bool = True) -> Path:
    """One of a single file."""
    folder = output / FOLDER / f"step-{step:08d}"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "part.pt", "w") as archive:
        archive.writestr("weights", bytes(1000))
    if complete:
        sizes = {"part.pt": (folder / "part.pt").stat().st_size}
        sampler = {"step": step, "samples": 5, "global_batch": 2, "seed": 3}
        state = {"sampler": sampler, "data": "0" * 64, "ranks": 1, "files": sizes}
        (folder / STATE).write_text(json.dumps(state))
    return folder


def names(output: Path) -> list[int]:
    """Steps of what is there, complete or not."""
    return sorted(int(path.name.removeprefix("step-")) for path in (output / FOLDER).glob("step-*"))


def test_a_damaged_byte_is_a_problem_and_no_error(tmp_path: Path):
    folder = write_checkpoint(tmp_path, 1)
    assert checkpoint._problem(folder, 0, 1) is None
    content = (folder / "part.pt").read_bytes()
    directory = struct.unpack("<I", content[-6:-2])[0]
    for at in range(directory, len(content)):
        damaged = content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]
        (folder / "part.pt").write_bytes(damaged)
        checkpoint._problem(folder, 0, 1)  # some fields say nothing of the contents
    (folder / "part.pt").write_bytes(content[:directory] + bytes(len(content) - directory))
    assert "part.pt" in str(checkpoint._problem(folder, 0, 1))


@pytest.mark.parametrize("state", ["[]", '{"files": [1]}', '{"files": {"part.pt": null}}', "\xff"])
def test_a_damaged_state_is_a_problem_and_no_error(state: str, tmp_path: Path):
    folder = write_checkpoint(tmp_path, 1)
    (folder / STATE).write_text(state, encoding="latin-1")
    assert checkpoint._problem(folder, 0, 1) is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"step": -3}, "/sampler/step is -3, not at least 0"),
        ({"step": 2}, "says 2 steps, and its folder's name says otherwise"),
        ({"step": 1.5}, "/sampler/step is 1.5, not of type integer"),
        ({"mixture": [[1]]}, "/sampler/mixture/0 has 1, not at least 2"),
    ],
)
def test_a_state_that_makes_no_sense_does_not_count(change: dict, reason: str, tmp_path: Path):
    folder = write_checkpoint(tmp_path, 1)
    state = json.loads((folder / STATE).read_text())
    state["sampler"] |= change
    (folder / STATE).write_text(json.dumps(state))
    assert f"{reason}; start with --no-resume" in str(checkpoint._problem(folder, 0, 1))


def test_what_lies_outside_of_the_folder_does_not_count(tmp_path: Path):
    folder = write_checkpoint(tmp_path, 1)
    state = json.loads((folder / STATE).read_text())
    (folder / STATE).write_text(json.dumps(state | {"files": {"../../x.pt": 5}}))
    assert "leaves the folder" in str(checkpoint._problem(folder, 0, 1))


def test_the_newest_stays_whatever_lies_beside_it(tmp_path: Path):
    for step, complete in ((2, True), (3, False), (4, True), (5, False), (8, True)):
        write_checkpoint(tmp_path, step, complete)
    newest = write_checkpoint(tmp_path, 6)
    converted = newest.with_name("universal-step-00000002")
    converted.mkdir()
    checkpoint._remove_earlier(newest, 2)
    assert names(tmp_path) == [4, 6, 8]  # the run has gone on from before 8, which is damaged
    assert not converted.exists()
    checkpoint._remove_earlier(newest, 1)
    assert names(tmp_path) == [6, 8]


def test_what_cannot_be_removed_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for step in (2, 4):
        write_checkpoint(tmp_path, step)
    remove = shutil.rmtree

    def busy(path: Path) -> None:
        if path.name.endswith("2"):
            raise OSError(39, "Directory not empty")
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", busy)
    checkpoint._remove_earlier(write_checkpoint(tmp_path, 6), 1)
    assert names(tmp_path) == [2, 6]
    assert (
        "note: step-00000002 cannot be removed ([Errno 39] Directory not empty)"
        in capsys.readouterr().out
    )
