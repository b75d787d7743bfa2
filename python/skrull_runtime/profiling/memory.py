"""Activations per token on a GPU, compared with the memory model. Has not been run on a GPU yet."""

from __future__ import annotations

import torch

from ..batches.collate import collate
from ..batches.packed import MicroBatch
from ..data.tokens import Tokens
from ..scheduling import MicroBatches
from .measure import StepTimer
from .run_folder import Plan

# Ids of rows of the plan's memory: those that activation_factor multiplies, and that of sharded sequences.
SCALED_ROWS = ("activations", "layer-at-work")
SHARDED_ROW = "gathered"


def activation_factor(timer: StepTimer, plan: Plan, rank: int) -> float | None:
    """Measured over modelled bytes per token, from the peaks of two micro-batches; None without a GPU."""
    device = timer.trainer.device
    if device.type != "cuda":
        return None
    bucket = plan["memory"]["bucket"]
    peaks = []
    for tokens in (bucket // 2, bucket):
        micro_batch = local_micro_batch(tokens, rank)  # without a group
        timer.trainer.rehearse(micro_batch, timer.groups)  # optimizer states, kernels
        torch.cuda.reset_peak_memory_stats(device)
        timer.trainer.rehearse(micro_batch, timer.groups)
        peaks.append(torch.cuda.max_memory_allocated(device))
    return factor_of((peaks[1] - peaks[0]) / (bucket - bucket // 2), plan)


def local_micro_batch(tokens: int, rank: int) -> MicroBatch:
    """A micro-batch of one sequence of that many tokens, whole on this rank."""
    schedule: MicroBatches = {
        "micro_batches": [
            {"index": 0, "placements": [{"sequence": 0, "first_rank": rank, "degree": 1}]}
        ]
    }
    return collate(schedule, rank, [tokens], lambda _: Tokens([0] * tokens, [0] * tokens))[0]


def factor_of(bytes_per_token: float, plan: Plan) -> float:
    """The ``activation_factor`` of a machine where a token of a local sequence takes that many bytes."""
    rows: dict[str, float] = {row["id"]: row["bytes"] for row in plan["memory"]["per_token"]}
    planned = plan["hardware"]["figures"]["activation_factor"]
    scaled = sum(rows[id_] for id_ in SCALED_ROWS) / planned
    others = sum(own for id_, own in rows.items() if id_ not in (*SCALED_ROWS, SHARDED_ROW))
    return min(10.0, max(0.1, (bytes_per_token - others) / scaled))
