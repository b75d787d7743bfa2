"""Data sets of a hub, through a stand-in of ``datasets``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from skrull_runtime.data.readers import open_rows
from skrull_runtime.data.readers.hub import materialise, parse_reference
from skrull_runtime.errors import UserError

ROWS = [{"text": "é", "score": None, "image": b"\x00"}, {"text": "b", "score": 2, "image": None}]


class Hub(ModuleType):
    """A stand-in of ``datasets`` that writes down what it is asked for."""

    def __init__(self, rows: Any = ROWS):
        super().__init__("datasets")
        self.rows, self.asked = rows, []

    def load_dataset(self, *names: Any, **options: Any) -> Any:
        self.asked.append((names, options))
        if isinstance(self.rows, Exception):
            raise self.rows
        return self.rows() if callable(self.rows) else list(self.rows)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    module = Hub()
    monkeypatch.setitem(sys.modules, "datasets", module)
    return module


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("hub:org/name", ("org/name", None, "train", "main")),
        ("hub:org/name/fr", ("org/name", "fr", "train", "main")),
        ("hub:org/name:test", ("org/name", None, "test", "main")),
        ("hub:org/name@v1.0", ("org/name", None, "train", "v1.0")),
        ("hub:o-g/na.me/fr-2:train_sft@refs/pr/1", ("o-g/na.me", "fr-2", "train_sft", "refs/pr/1")),
    ],
)
def test_the_parts_of_a_reference(reference: str, parts: tuple):
    assert tuple(parse_reference(reference)) == parts


@pytest.mark.parametrize(
    "reference",
    ["org/name", "hub:", "hub:name", "hub:a/b/c/d", "hub:../x", "hub:a/b:", "hub:a/b@", "hub:a/b c", "hub:a/b@x/../y"],
)  # fmt: skip
def test_what_is_no_reference(reference: str):
    with pytest.raises(UserError, match="hub:ORGANISATION/NAME"):
        parse_reference(reference)


def test_rows_are_read_once_and_kept(hub: Hub, tmp_path: Path):
    path = materialise("hub:org/name/fr:test@0a1b", tmp_path / "data")
    assert hub.asked == [
        (("org/name", "fr"), {"split": "test", "revision": "0a1b", "streaming": True})
    ]
    assert [json.loads(row.content) for row in open_rows(path)] == [
        {"text": "é", "image": {"bytes": 1}}, {"text": "b", "score": 2},
    ]  # fmt: skip
    sys.modules["datasets"] = None  # type: ignore[assignment]
    assert materialise("hub:org/name/fr:test@0a1b", tmp_path / "data") == path
    assert list(path.parent.iterdir()) == [path] and "0a1b" in path.name


def test_each_part_has_a_file_of_its_own(hub: Hub, tmp_path: Path):
    references = ["hub:a/b", "hub:a/b/c", "hub:a/b:c", "hub:a/b@c", "hub:a/b@refs/pr/1", "hub:a/d"]
    paths = {materialise(reference, tmp_path) for reference in references}
    assert len(paths) == len(hub.asked) == len(references)
    assert {path.parent for path in paths} == {tmp_path}


def test_other_content_has_another_name(hub: Hub, tmp_path: Path):
    first = materialise("hub:a/b", tmp_path / "one")
    hub.rows = [*ROWS, {"text": "c"}]
    assert materialise("hub:a/b", tmp_path / "two").name != first.name


def test_another_hub_has_files_of_its_own(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first = materialise("hub:a/b", tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "https://huggingface.co/")
    assert materialise("hub:a/b", tmp_path) == first
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    hub.rows = [{"text": "theirs"}]
    assert b"theirs" in materialise("hub:a/b", tmp_path).read_bytes()
    monkeypatch.delenv("HF_ENDPOINT")
    assert materialise("hub:a/b", tmp_path) == first


def test_pictures_are_not_unpacked(hub: Hub, tmp_path: Path):
    class Undecoded(list):
        features: ClassVar = {"picture": "Image(mode=None, decode=True)"}

        def decode(self, wanted: bool) -> list:
            assert wanted is False
            return [{"text": "undecoded", "picture": object()}]

    hub.rows = Undecoded
    content = materialise("hub:a/b", tmp_path).read_text()
    assert json.loads(content) == {"text": "undecoded", "picture": {"type": "object"}}


def broken() -> Iterator[dict]:
    yield ROWS[0]
    raise ConnectionError("the line\nis dead")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ValueError('Unknown split "x".\nShould be one of [train]'), "Should be one of"),
        (RuntimeError(), "RuntimeError"),
        (broken, "the line is dead"),
        ([], "has no rows"),
        ([{"text": "a"}, {"text": "\ud800"}], "row 2 holds text that is not UTF-8"),
    ],
)
def test_what_cannot_be_read_leaves_nothing(hub: Hub, tmp_path: Path, rows: Any, said: str):
    hub.rows = rows
    with pytest.raises(UserError, match="hub:a/b:x: ") as raised:
        materialise("hub:a/b:x", tmp_path)
    assert said in str(raised.value) and list(tmp_path.iterdir()) == []


def test_without_datasets_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match='pip install "datasets>=4"'):
        materialise("hub:a/b", tmp_path)


def test_a_place_that_cannot_be_written(hub: Hub, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="cannot be kept there"):
        materialise("hub:a/b", tmp_path / "file")
