"""Process groups are split from the group of all ranks where the backend can, and made one by one where it cannot."""

from __future__ import annotations

from typing import Any

import pytest
import torch.distributed as dist

from skrull_runtime.model import groups
from skrull_runtime.model.groups import MOST_AHEAD, GroupTable


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What rank 5 of 8 asks torch for."""
    made: list[tuple[str, Any]] = []

    def new_group(ranks, timeout):
        made.append(("new", ranks))
        return f"new {ranks}"

    def split_group(*, split_ranks, timeout):
        made.append(("split", split_ranks))
        return f"split {next(ranks for ranks in split_ranks if 5 in ranks)}"

    monkeypatch.setattr(dist, "get_world_size", lambda: 8)
    monkeypatch.setattr(dist, "get_rank", lambda: 5)
    monkeypatch.setattr(dist, "new_group", new_group)
    monkeypatch.setattr(dist, "split_group", split_group)
    monkeypatch.setattr(groups, "_can_split", lambda: False)
    return made


def test_every_rank_makes_every_group_in_the_same_order(calls: list):
    table = GroupTable()
    table.prepare([4, 1, 2])
    table.prepare([2, 4])
    pairs = [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert calls == [("new", each) for each in (*pairs, [0, 1, 2, 3], [4, 5, 6, 7])]
    assert table.get(2, 4) == "new [4, 5]"
    assert table.get(4, 4) == "new [4, 5, 6, 7]"


def test_groups_are_split_in_one_call_where_that_is_possible(
    calls: list, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(groups, "_can_split", lambda: True)
    table = GroupTable()
    table.prepare([4])
    assert calls == [("split", [[0, 1, 2, 3], [4, 5, 6, 7]])]
    assert table.get(4, 4) == "split [4, 5, 6, 7]"


def test_only_a_number_of_groups_is_made_ahead(calls: list, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dist, "get_world_size", lambda: 16 * MOST_AHEAD)
    table = GroupTable()
    table.prepare_ahead([1, 2, 8, 16, 3])
    assert len(calls) == MOST_AHEAD
    assert {len(ranks) for _, ranks in calls} == {16}
