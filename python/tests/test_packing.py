"""What a rank holds of a micro-batch, worked out by hand and by simulating the exchange of a group's members."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from skrull_runtime.batches.collate import StepBatch, collate
from skrull_runtime.batches.layout import Layout, ShardGroup, layout_of, zigzag_positions
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.segments import (
    AttentionPlan,
    GroupPlan,
    Segments,
    Traffic,
    attention_plan,
    windows_in,
    with_indices,
)
from skrull_runtime.data.tokens import IGNORED, Tokens


def placed(sequence: int, first_rank: int, degree: int) -> dict[str, int]:
    """As a schedule has it."""
    return {"sequence": sequence, "first_rank": first_rank, "degree": degree}


def test_zigzag_gives_a_member_a_chunk_from_each_end():
    assert [zigzag_positions(3, 2, member) for member in (0, 1)] == [
        (range(0, 3), range(9, 12)),
        (range(3, 6), range(6, 9)),
    ]
    assert zigzag_positions(2, 4, 1) == (range(2, 4), range(12, 14))
    assert zigzag_positions(5, 1, 0) == (range(0, 5), range(5, 10))


PLACEMENTS = [
    placed(5, 0, 4),
    placed(4, 2, 2),
    placed(3, 0, 2),
    placed(2, 1, 1),
    placed(1, 0, 2),
    placed(0, 1, 1),
    placed(6, 0, 1),
]
LENGTHS = [7, 9, 3, 8, 5, 17, 4]


def test_a_layout_has_what_a_rank_takes_part_in():
    groups = (
        ShardGroup(0, 2, (1, 3), (3, 2), (9, 8)),
        ShardGroup(0, 4, (5,), (3,), (17,)),
    )
    fullest = 7 + 3 + 10 + 6  # of rank 1
    assert layout_of(PLACEMENTS, 1, LENGTHS) == Layout(1, (7, 3), (0, 2), groups, fullest)
    assert layout_of(PLACEMENTS, 0, LENGTHS) == Layout(0, (4,), (6,), groups, fullest)
    others = (ShardGroup(2, 2, (4,), (2,), (5,)), groups[1])
    for rank in (2, 3):
        assert layout_of(PLACEMENTS, rank, LENGTHS) == Layout(rank, (), (), others, fullest)
    for rank in (4, -1):
        assert layout_of(PLACEMENTS, rank, LENGTHS) == Layout(rank, (1,), (), (), fullest)
    assert [group.tokens for group in groups] == [10, 6]


def test_the_fullest_rank_is_that_of_all_ranks_layouts():
    for count in range(1, len(PLACEMENTS) + 1):
        some = PLACEMENTS[:count]
        layouts = [layout_of(some, rank, LENGTHS) for rank in range(4)]
        held = [sum(own.local) + sum(group.tokens for group in own.groups) for own in layouts]
        assert {own.fullest for own in layouts} == {max(held)}
        assert packed(layouts[3]).fullest == max(held)


def tokens_of(sequence: int) -> Tokens:
    """Ids 100 k, 100 k + 1, ...; labels are 50 more, and the last is none."""
    ids = [100 * sequence + n for n in range(LENGTHS[sequence])]
    return Tokens(ids, [*(own + 50 for own in ids[:-1]), IGNORED])


def test_a_micro_batch_has_its_sequences_then_its_shards_each_padded_at_its_end():
    schedule = {"micro_batches": [{"placements": PLACEMENTS[1:]}, {"placements": []}]}
    asked = []

    def asked_for(sequence: int) -> Tokens:
        asked.append(sequence)
        return tokens_of(sequence)

    first, second = collate(schedule, 1, LENGTHS, asked_for)
    assert asked == [0, 2, 1, 3]
    # 7 and 3 tokens; of 9 padded to 12 the positions 3-5 and 6-8; of 8 the positions 2-3 and 4-5.
    positions = [*range(7), *range(3), 3, 4, 5, 6, 7, 8, 2, 3, 4, 5]
    sequences = [0] * 7 + [2] * 3 + [1] * 6 + [3] * 4
    assert first.position_ids.tolist() == [positions]
    assert first.sequence_ids.tolist() == [sequences]
    ids = [100 * k + n for k, n in zip(sequences, positions, strict=True)]
    assert first.input_ids.tolist() == [ids]
    last = {(0, 6), (2, 2), (1, 8)}
    labels = [
        IGNORED if (k, n) in last else 100 * k + n + 50
        for k, n in zip(sequences, positions, strict=True)
    ]
    assert first.labels.tolist() == [labels]
    counted = [at for at, label in enumerate(labels) if label != IGNORED]
    assert first.counted.tolist() == counted
    assert first.targets.tolist() == [labels[at] for at in counted]
    assert (first.size, first.counted_size) == (20, 17)
    assert (second.size, second.input_ids.tolist(), second.labels.tolist()) == (
        1,
        [[0]],
        [[IGNORED]],
    )
    assert (second.sequence_ids.tolist(), second.counted.tolist()) == ([[-1]], [0])
    assert second.targets.tolist() == [IGNORED]


def test_padding_is_ignored_and_of_no_sequence():
    lengths = [5]
    schedule = {"micro_batches": [{"placements": [placed(0, 0, 2)]}]}
    own = Tokens([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])
    first, second = (collate(schedule, rank, lengths, lambda _: own)[0] for rank in (0, 1))
    # Chunks of two, of eight positions: 0-1 and 6-7, 2-3 and 4-5.
    assert first.input_ids.tolist() == [[1, 2, 0, 0]]
    assert first.labels.tolist() == [[2, 3, IGNORED, IGNORED]]
    assert first.sequence_ids.tolist() == [[0, 0, -1, -1]]
    assert first.position_ids.tolist() == [[0, 1, 6, 7]]
    assert second.input_ids.tolist() == [[3, 4, 5, 0]]
    assert second.labels.tolist() == [[4, 5, 6, IGNORED]]
    assert second.sequence_ids.tolist() == [[0, 0, 0, -1]]


def test_a_dummy_is_a_micro_batch_without_sequences():
    placements = [placed(0, 0, 1), placed(1, 2, 2)]
    schedule = {"micro_batches": [{"placements": placements}]}
    dummies = []
    for rank in range(4):
        made = collate(schedule, rank, LENGTHS, tokens_of)
        figures = (0, 0, made, [0, 1], 16, 14, 1.0, [1, 2], "", SimpleNamespace())
        dummies.append(StepBatch(*figures).is_dummy(0))
    assert dummies == [False, True, False, False]


def packed(layout: Layout, windows: tuple[int, ...] = ()) -> MicroBatch:
    """Of a layout, with nothing in it."""
    size = max(1, sum(layout.local) + sum(group.tokens for group in layout.groups))
    return MicroBatch.of(np.zeros((4, size), np.int64), layout, windows)


def test_local_segments_are_whole_sequences():
    plan = packed(layout_of(PLACEMENTS, 1, LENGTHS)).plan
    assert plan.local is not None
    assert (plan.local.queries, plan.local.keys) == ((7, 3), (7, 3))
    assert plan.local.query_offsets.tolist() == plan.local.key_offsets.tolist() == [0, 7, 10]
    assert (plan.local.longest_query, plan.local.longest_key) == (7, 7)
    assert plan.sizes == [10, 10, 6]
    assert packed(layout_of(PLACEMENTS, 2, LENGTHS)).plan.local is None
    assert packed(layout_of(PLACEMENTS, 2, LENGTHS)).plan.sizes == [4, 6]
    assert packed(layout_of([], 2, [])).plan.sizes == [1]


def shard(group: ShardGroup, member: int) -> list[tuple[int, int]]:
    """Sequence and position of every row that a member holds: its chunk from the front, and that from the back."""
    rows = []
    for sequence, chunk in zip(group.sequences, group.chunks, strict=True):
        for part in (member, 2 * group.degree - 1 - member):
            rows += [(sequence, part * chunk + n) for n in range(chunk)]
    return rows


def attended(group: ShardGroup, member: int, window: int | None) -> list[list[tuple[int, int]]]:
    """Of every chunk of a member what its tokens see together."""
    found = []
    for sequence, chunk in zip(group.sequences, group.chunks, strict=True):
        for part in (member, 2 * group.degree - 1 - member):
            own = range(part * chunk, (part + 1) * chunk)
            seen = {n for q in own for n in range(q + 1) if window is None or q - n < window}
            found.append([(sequence, n) for n in sorted(seen)])
    return found


def arrived(plans: list[GroupPlan], window: int | None, member: int) -> list[tuple[int, int]]:
    """What comes to a member, by what each sends."""
    group = plans[0].group
    traffic = [plan.traffic(window) for plan in plans]
    if traffic[member].sent is None:
        return [row for other in range(group.degree) for row in shard(group, other)]
    rows: list[tuple[int, int]] = []
    for other, own in enumerate(traffic):
        start = sum(own.send_counts[:member])
        sent = own.sent[start : start + own.send_counts[member]].tolist()
        assert len(sent) == traffic[member].receive_counts[other]
        held = shard(group, other)
        rows += [held[at] for at in sent]
    return rows


@pytest.mark.parametrize("window", [None, 1, 2, 3, 5, 9, 50])
def test_members_get_every_key_that_their_tokens_see(window: int | None):
    source = random.Random(3)
    narrow = 0
    for degree in (2, 3, 4):
        for count in (1, 2, 3):
            chunks = tuple(source.randint(1, 6) for _ in range(count))
            first = degree * source.randint(0, 2)
            group = ShardGroup(first, degree, tuple(range(count)), chunks)
            windows = () if window is None else (window,)
            layouts = [Layout(first + own, (), (), (group,)) for own in range(degree)]
            plans = [packed(layout, windows).plan.groups[0] for layout in layouts]
            for member, plan in enumerate(plans):
                traffic = plan.traffic(window)
                narrow += traffic.sent is not None
                wanted = attended(group, member, None if traffic.sent is None else window)
                rows = arrived(plans, window, member)
                found = [rows[at] for at in traffic.rows.tolist()]
                assert found == [key for chunk in wanted for key in chunk]
                assert traffic.segments.keys == tuple(map(len, wanted))
                assert traffic.segments.queries == tuple(c for c in chunks for _ in range(2))
                ends = np.cumsum([0, *map(len, wanted)]).tolist()
                assert traffic.segments.key_offsets.tolist() == ends
                assert traffic.segments.query_offsets.tolist() == [
                    *np.cumsum([0, *traffic.segments.queries])
                ]
                # Nobody gets a row twice, and in full nobody sends a part.
                assert traffic.sent is None or len(set(rows)) == len(rows)
                assert plan.full.sent is None and plan.full.send_counts == ()
    assert (narrow > 0) == (window is not None and window < 50)


def test_a_windows_rows_are_exchanged_where_they_are_fewer():
    def windows(chunks: tuple[int, ...], degree: int, *tried: int) -> list[int]:
        group = ShardGroup(0, degree, tuple(range(len(chunks))), chunks)
        plan = packed(Layout(0, (), (), (group,)), tried).plan.groups[0]
        for window in tried:
            own = plan.windowed.get(window, plan.full)
            assert plan.traffic(window) is own and plan.traffic(None) is plan.full
        return list(plan.windowed)

    # Two chunks of 4 with 3 before each are 14 of 16 rows, with 4 all of them.
    assert windows((4,), 2, 3, 4, 5, 6) == [3, 4]
    # Of a short sequence no more than its 8 rows count: 16 and 2 x (100 + window - 1) of 808.
    assert windows((1, 100), 4, 50, 296, 297) == [50, 296]


def test_indices_are_changed_once_each_wherever_they_are():
    offsets, rows, sent = "offsets", "rows", "sent"
    segments = Segments((1,), (1,), offsets, offsets)
    group = ShardGroup(0, 2, (0,), (1,))
    windowed = {3: Traffic(segments, rows, sent, (1,), (1,))}
    local = attention_plan(Layout(0, (1,), (0,), ()), (), lambda values: offsets)
    group_plan = GroupPlan(group, Traffic(segments, rows), windowed)
    plan = AttentionPlan(local.layout, local.local, (group_plan,))
    changed: list[str] = []

    def change(index: str) -> str:
        changed.append(index)
        return index.upper()

    made = with_indices(plan, change)
    assert sorted(changed) == ["offsets", "rows", "sent"]
    assert made.local.query_offsets == made.local.key_offsets == "OFFSETS"
    own = made.groups[0]
    assert (own.full.rows, own.full.sent, own.windowed[3].rows) == ("ROWS", None, "ROWS")
    assert (own.windowed[3].sent, own.windowed[3].segments.key_offsets) == ("SENT", "OFFSETS")
    assert with_indices(made, lambda index: index).local == made.local
    none = AttentionPlan(plan.layout, None, ())
    assert with_indices(none, change) == none


def same(one: MicroBatch, other: MicroBatch) -> bool:
    """Whether all that they hold is alike."""
    names = ("input_ids", "labels", "position_ids", "sequence_ids", "counted", "targets")
    alike = all(getattr(one, name).equal(getattr(other, name)) for name in names)
    plans = [with_indices(own.plan, lambda index: index.tolist()) for own in (one, other)]
    return alike and plans[0] == plans[1] and one.layout == other.layout


def whole() -> MicroBatch:
    """With local sequences, groups and a window."""
    schedule = {"micro_batches": [{"placements": PLACEMENTS}]}
    return collate(schedule, 1, LENGTHS, tokens_of, (2,))[0]


def test_a_micro_batch_is_the_same_on_the_other_side_of_a_pipe_and_in_one_buffer():
    batch = whole()
    again = pickle.loads(pickle.dumps(batch))
    assert same(batch, again)
    assert again.buffer.dtype == torch.int32
    assert again.plan.local.query_offsets.untyped_storage().data_ptr() == again.buffer.data_ptr()
    assert batch.plan.groups[0].windowed, "the window is narrow"
    assert batch.to(torch.device("cpu")) is batch


def test_a_micro_batch_moves_in_one_copy(monkeypatch: pytest.MonkeyPatch):
    batch = whole()
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda own: own)
    copies = []
    copy = torch.Tensor.to

    def to(own: torch.Tensor, *args, **options):
        if args and isinstance(args[0], torch.device):
            copies.append((own, options))
            return own.clone()
        return copy(own, *args, **options)

    monkeypatch.setattr(torch.Tensor, "to", to)
    moved = batch.to(torch.device("cuda"))
    monkeypatch.undo()
    assert [own is batch.buffer for own, _ in copies] == [True]
    assert copies[0][1] == {"non_blocking": True}
    assert same(batch, moved)
    assert moved.plan.local.key_offsets.untyped_storage().data_ptr() == moved.buffer.data_ptr()


def test_windows_of_a_configuration(tmp_path: Path):
    file = tmp_path / "config.json"
    assert windows_in(file) == ()
    for content, expected in (
        ({"sliding_window": 1}, (1,)),
        ({"sliding_window": 4096}, (4096,)),
        ({"sliding_window": 0}, ()),
        ({"sliding_window": None}, ()),
        ({"sliding_window": "7"}, ()),
        ({}, ()),
        ([1], ()),
    ):
        file.write_text(json.dumps(content))
        assert windows_in(file) == expected
    file.write_text("{")
    assert windows_in(file) == ()
