"""A node's ranks schedule a global batch once, and none of them waits for ever."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from skrull_runtime.batches import sharing
from skrull_runtime.batches.sharing import SharedSchedules
from skrull_runtime.guarding.cause import ENDINGS

SCHEDULE = {"micro_batches": [{"index": 0, "placements": []}], "iteration_time": 0.1 + 0.2}


def never() -> dict:
    """For who must not make one."""
    raise AssertionError("it was made twice")


def test_what_the_first_rank_makes_the_others_read(tmp_path: Path):
    maker, other = SharedSchedules(tmp_path, True), SharedSchedules(tmp_path, False)
    timer = threading.Timer(0.1, lambda: maker.get("a", lambda: SCHEDULE))
    timer.start()
    assert other.get("a", never) == SCHEDULE
    timer.join()


@pytest.mark.parametrize("content", [None, b"", b'{"micro'])
def test_a_rank_that_gets_none_makes_its_own(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sharing, "WAIT", 0.05)
    if content is not None:
        (tmp_path / "schedule-a.json").write_bytes(content)
    assert SharedSchedules(tmp_path, False).get("a", lambda: SCHEDULE) == SCHEDULE


def test_schedules_of_long_ago_are_removed(tmp_path: Path):
    maker = SharedSchedules(tmp_path, True)
    for number in range(sharing.KEPT + 10):
        maker.get(str(number), lambda: SCHEDULE)
    left = {path.name for path in tmp_path.iterdir()}
    expected = range(10, sharing.KEPT + 10)
    assert left == {f"schedule-{number}.json" for number in expected}


def test_a_disk_that_cannot_be_written_changes_nothing(tmp_path: Path):
    maker = SharedSchedules(tmp_path / "missing", True)
    assert maker.get("a", lambda: SCHEDULE) == SCHEDULE


def test_only_ranks_of_one_of_our_launchers_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2", ENDINGS: str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "schedule-a.json").write_text("{}")
    assert SharedSchedules.of_node().get("a", never) == {}
    monkeypatch.delenv(ENDINGS)
    assert SharedSchedules.of_node().get("a", lambda: SCHEDULE) == SCHEDULE
