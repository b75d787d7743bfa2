"""What attention needs to know of a micro-batch, made once by the data worker, so that no layer makes an index itself.

All index tensors are int32 views of the micro-batch's one buffer (:mod:`.packed`), so that they travel with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .layout import Layout, ShardGroup, zigzag_positions

Integers = NDArray[np.int64]
# Puts an array into the buffer, and returns its place there.
Take = Callable[[Integers], torch.Tensor]


@dataclass(frozen=True)
class Segments:
    """Packed segments, as varlen kernels take them. The queries of a segment are the last tokens of its keys."""

    queries: tuple[int, ...]  # tokens of each segment, on the host
    keys: tuple[int, ...]
    query_offsets: torch.Tensor  # int32 [segments + 1], on the device
    key_offsets: torch.Tensor
    longest_query: int = field(init=False)
    longest_key: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "longest_query", max(self.queries))
        object.__setattr__(self, "longest_key", max(self.keys))


@dataclass(frozen=True)
class Traffic:
    """Which keys the members of a group exchange, and which arriving row each key of the segments is.

    Without ``sent``, every member gets all keys of all others (an all-gather), rank by rank.
    """

    segments: Segments
    rows: torch.Tensor  # int32 [keys of all segments]
    sent: torch.Tensor | None = None  # int32: own rows to send, member by member
    send_counts: tuple[int, ...] = ()  # rows to each member
    receive_counts: tuple[int, ...] = ()  # rows from each member


@dataclass(frozen=True)
class GroupPlan:
    """A shard group with its traffic: in full, and by the windows of layers that see fewer tokens."""

    group: ShardGroup
    full: Traffic
    windowed: dict[int, Traffic]

    def traffic(self, window: int | None) -> Traffic:
        """What a layer with that window exchanges; None for a layer without a window."""
        return self.full if window is None else self.windowed.get(window, self.full)


@dataclass(frozen=True)
class AttentionPlan:
    """What attention needs of one rank's micro-batch: local sequences, then groups in the order of their collectives."""

    layout: Layout
    local: Segments | None
    groups: tuple[GroupPlan, ...]

    @property
    def sizes(self) -> list[int]:
        """Tokens of the local part, if there is one, and of each group."""
        local = [sum(self.layout.local)] if self.layout.local else []
        return local + [plan.group.tokens for plan in self.groups]


def attention_plan(layout: Layout, windows: Sequence[int], take: Take) -> AttentionPlan:
    """The plan of a layout. ``windows`` are those of the model's layers; ``take`` puts an array into the buffer."""
    local = _local_segments(layout, take) if layout.local else None
    groups = tuple(_group_plan(group, layout.rank, windows, take) for group in layout.groups)
    return AttentionPlan(layout, local, groups)


def _offsets(lengths: Sequence[int], take: Take) -> torch.Tensor:
    return take(np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))))


def _local_segments(layout: Layout, take: Take) -> Segments:
    offsets = _offsets(layout.local, take)
    return Segments(layout.local, layout.local, offsets, offsets)


def _group_plan(group: ShardGroup, rank: int, windows: Sequence[int], take: Take) -> GroupPlan:
    member = rank - group.first_rank
    queries = tuple(chunk for chunk in group.chunks for _ in range(2))
    query_offsets = _offsets(queries, take)
    wanted = _wanted(group, member, None)
    full = Traffic(
        _segments(queries, query_offsets, wanted, take), take(_rows_of_all(group, wanted))
    )
    windowed = {}
    for window in windows:
        if _is_narrow(group, window):
            windowed[window] = _windowed(group, member, window, queries, query_offsets, take)
    return GroupPlan(group, full, windowed)


def _segments(
    queries: tuple[int, ...], query_offsets: torch.Tensor, wanted: list[range], take: Take
) -> Segments:
    keys = tuple(len(positions) for positions in wanted)
    return Segments(queries, keys, query_offsets, _offsets(keys, take))


def _wanted(group: ShardGroup, member: int, window: int | None) -> list[range]:
    """For every chunk of a member, the positions in its sequence that its tokens see: all earlier ones, or those within
    the window."""
    wanted = []
    for chunk in group.chunks:
        for own in zigzag_positions(chunk, group.degree, member):
            first = 0 if window is None else max(0, own.start - window + 1)
            wanted.append(range(first, own.stop))
    return wanted


def _rows_of_all(group: ShardGroup, wanted: list[range]) -> Integers:
    """For each wanted key, its row in the gathered shards ``[degree * T]``, rank by rank."""
    members, rows = _places(group, wanted)
    return members * group.tokens + rows


def _places(group: ShardGroup, wanted: list[range]) -> tuple[Integers, Integers]:
    """For each wanted key, in order: the member that holds it, and its row there."""
    degree = group.degree
    members, rows = [], []
    at = 0
    for number, chunk in enumerate(group.chunks):
        for positions in wanted[2 * number : 2 * number + 2]:
            place = np.arange(positions.start, positions.stop)
            part = place // chunk
            mirrored = part >= degree
            members.append(np.where(mirrored, 2 * degree - 1 - part, part))
            rows.append(at + place % chunk + mirrored * chunk)
        at += 2 * chunk
    return np.concatenate(members), np.concatenate(rows)


def _is_narrow(group: ShardGroup, window: int) -> bool:
    """Whether the chunks and the window before them are fewer rows than the whole sequences."""
    seen = sum(2 * min(chunk + window - 1, 2 * group.degree * chunk) for chunk in group.chunks)
    return seen < group.degree * group.tokens


def _windowed(
    group: ShardGroup,
    member: int,
    window: int,
    queries: tuple[int, ...],
    query_offsets: torch.Tensor,
    take: Take,
) -> Traffic:
    """Every member sends every other the keys that the other's windows reach; a key that two chunks see is sent once."""
    needed = [_needed(group, other, window) for other in range(group.degree)]
    wanted = _wanted(group, member, window)
    holders, rows = _places(group, wanted)
    # Rows arrive in the order of the members that send them, ascending within each.
    keys = holders * group.tokens + rows
    arriving = np.unique(keys)
    sent = [_rows_from(own, member, group.tokens) for own in needed]
    return Traffic(
        _segments(queries, query_offsets, wanted, take),
        take(np.searchsorted(arriving, keys)),
        take(np.concatenate(sent)),
        tuple(map(len, sent)),
        tuple(
            int(count) for count in np.bincount(arriving // group.tokens, minlength=group.degree)
        ),
    )


def _needed(group: ShardGroup, member: int, window: int) -> Integers:
    """The gathered rows that a member's windows reach, ascending."""
    return np.unique(_rows_of_all(group, _wanted(group, member, window)))


def _rows_from(needed: Integers, holder: int, tokens: int) -> Integers:
    rows: Integers = needed[needed // tokens == holder] - holder * tokens
    return rows


def with_indices(plan: AttentionPlan, change: Callable[[Any], Any]) -> AttentionPlan:
    """The same plan with every index tensor replaced, each once: by its copy on a device, or its place in a buffer."""
    changed: dict[int, Any] = {}

    def new(index: Any) -> Any:
        if id(index) not in changed:
            changed[id(index)] = change(index)
        return changed[id(index)]

    def segments(own: Segments) -> Segments:
        return replace(own, query_offsets=new(own.query_offsets), key_offsets=new(own.key_offsets))

    def traffic(own: Traffic) -> Traffic:
        sent = None if own.sent is None else new(own.sent)
        return replace(own, segments=segments(own.segments), rows=new(own.rows), sent=sent)

    def group(own: GroupPlan) -> GroupPlan:
        windowed = {window: traffic(each) for window, each in own.windowed.items()}
        return replace(own, full=traffic(own.full), windowed=windowed)

    local = None if plan.local is None else segments(plan.local)
    return replace(plan, local=local, groups=tuple(map(group, plan.groups)))


def windows_in(file: Path) -> tuple[int, ...]:
    """The windows of a model's layers, by its configuration (``config.json``). None where it cannot be read: a layer then
    exchanges more than its window needs, and loading the model reports what is wrong."""
    try:
        config = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return ()
    text = config.get("text_config") if isinstance(config, dict) else None  # of a model with parts
    stated = text if isinstance(text, dict) else config
    window = stated.get("sliding_window") if isinstance(stated, dict) else None
    return (window,) if isinstance(window, int) and window > 0 else ()
