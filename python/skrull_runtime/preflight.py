"""The fullest micro-batch that a schedule could ask for, tried before the first step: it should fail there, not later."""

from __future__ import annotations

from typing import Any

from .collate import MicroBatch, collate
from .config import SchedulingConfig
from .tokenization import Tokens


def fullest_micro_batch(scheduling: SchedulingConfig, longest: int, rank: int) -> MicroBatch:
    """A micro-batch that fills this rank's bucket: the longest sequence sharded over each context-parallel group, and
    whole sequences beside it, every token a target."""
    context, room = scheduling.context_parallel, scheduling.bucket
    shard = 2 * -(-longest // (2 * context)) if context > 1 else 0
    lengths: list[int] = []
    placements: list[dict[str, Any]] = []

    def place(length: int, first_rank: int, degree: int) -> None:
        placements.append({"sequence": len(lengths), "first_rank": first_rank, "degree": degree})
        lengths.append(length)

    if 0 < shard <= room:
        place(longest, rank - rank % context, context)
        room -= shard
    while room > 0:
        place(min(room, longest), rank, 1)
        room -= lengths[-1]
    schedule = {"micro_batches": [{"index": 0, "placements": placements}]}
    (micro_batch,) = collate(
        schedule, rank, lengths, lambda k: Tokens([0] * lengths[k], [0] * lengths[k])
    )
    return micro_batch
