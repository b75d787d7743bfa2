"""How a rank's packed tokens of one micro-batch are made up of sequences, as attention needs to know it."""

from __future__ import annotations

from dataclasses import dataclass

from ..scheduling import PlacementEntry
from ..scheduling.summary import fullest_rank


@dataclass(frozen=True)
class ShardGroup:
    """Sequences that are sharded over the ranks ``first_rank .. first_rank + degree - 1``.

    A sequence of S tokens is padded to ``2 * degree`` chunks of ``c = ceil(S / (2 * degree))`` tokens; rank j of the
    group holds chunks j and 2 * degree - 1 - j (zigzag), so that causal attention costs every rank the same.
    """

    first_rank: int
    degree: int
    sequences: tuple[int, ...]  # indices into the global batch, ascending
    chunks: tuple[int, ...]  # c of each sequence, tokens
    lengths: tuple[int, ...] = ()  # S of each sequence

    @property
    def tokens(self) -> int:
        """Tokens that each rank of the group holds."""
        return 2 * sum(self.chunks)


@dataclass(frozen=True)
class Layout:
    """The packed tokens of one rank: local sequences first, then its shards group by group."""

    rank: int
    local: tuple[int, ...]  # tokens of each local sequence
    local_sequences: tuple[int, ...]  # their indices into the global batch; empty for a dummy
    # By degree, then first rank: the order of collectives on every rank.
    groups: tuple[ShardGroup, ...]
    fullest: int = 0  # tokens of the rank that has most in the micro-batch


def layout_of(placements: list[PlacementEntry], rank: int, lengths: list[int]) -> Layout:
    """The layout of a rank in a micro-batch of a schedule; ``lengths`` are the tokens of the global batch's sequences. A
    rank without sequences gets one dummy token."""
    local = sorted(
        p["sequence"] for p in placements if p["degree"] == 1 and p["first_rank"] == rank
    )
    members: dict[tuple[int, int], list[int]] = {}
    for p in placements:
        if p["degree"] > 1 and p["first_rank"] <= rank < p["first_rank"] + p["degree"]:
            members.setdefault((p["degree"], p["first_rank"]), []).append(p["sequence"])
    groups = tuple(
        ShardGroup(
            first,
            degree,
            tuple(sorted(own)),
            tuple(-(-lengths[k] // (2 * degree)) for k in sorted(own)),
            tuple(lengths[k] for k in sorted(own)),
        )
        for (degree, first), own in sorted(members.items())
    )
    fullest = fullest_rank(placements, lengths)
    if not local and not groups:
        return Layout(rank, (1,), (), (), fullest)
    return Layout(rank, tuple(lengths[k] for k in local), tuple(local), groups, fullest)


def own_lengths(layout: Layout) -> list[tuple[int, int]]:
    """What a rank holds, in order: a sequence's tokens in all, and how many of them, padding included."""
    held = [(length, length) for length in layout.local]
    for group in layout.groups:
        held += [(n, 2 * chunk) for n, chunk in zip(group.lengths, group.chunks, strict=True)]
    return held


def zigzag_positions(chunk: int, degree: int, member: int) -> tuple[range, range]:
    """Positions in the padded sequence that member ``member`` of a group holds."""
    mirror = 2 * degree - 1 - member
    return range(member * chunk, (member + 1) * chunk), range(mirror * chunk, (mirror + 1) * chunk)
