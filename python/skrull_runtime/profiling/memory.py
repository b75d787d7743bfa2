"""Activations per token on a GPU, compared with the memory model. Has not been run on a GPU yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

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
# What PyTorch's allocator does not see.
UNSEEN_ROWS = ("context", "communicators", "fragmentation")
# Moments of a step that rows of the plan's memory may be limited to (src/cost/memory-model.ts).
STEP = "step"
PHASES = ("loss", "head", "final", "layers", "down", "gate", "norm", "attention", STEP)


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
    """The ``activation_factor`` of a machine where a token of a local sequence takes that many bytes, at the moment when
    a layer runs backward."""
    rows = [row for row in plan["memory"]["per_token"] if _is_at(row, "layers")]
    planned = plan["hardware"]["figures"]["activation_factor"]
    scaled = sum(row["bytes"] for row in rows if row["id"] in SCALED_ROWS) / planned
    outside = (*SCALED_ROWS, *UNSEEN_ROWS, SHARDED_ROW)
    others = sum(row["bytes"] for row in rows if row["id"] not in outside)
    return float(min(10.0, max(0.1, (bytes_per_token - others) / scaled)))


def planned_bytes(memory: Mapping[str, Any], tokens: int, sharded: int, states: bool = True) -> int:
    """What PyTorch allocates at most for a micro-batch of that many tokens on a rank, ``sharded`` of them of shared
    sequences, by the plan's rows; with or without what is there all along."""
    return round(max(_at(phase, memory, tokens, sharded, states) for phase in PHASES))


def _at(phase: str, memory: Mapping[str, Any], tokens: int, sharded: int, states: bool) -> float:
    total = 0.0
    for row in memory["fixed"]:
        if _is_at(row, phase) and row["id"] not in UNSEEN_ROWS and (states or "phase" in row):
            total += row["bytes"]
    for row in memory["per_token"] if phase != STEP else ():
        if not _is_at(row, phase) or row["id"] in UNSEEN_ROWS:
            continue
        own = sharded if row["id"] == SHARDED_ROW else tokens
        total += min(own * row["bytes"], row.get("most", math.inf))
    return total


def _is_at(row: Mapping[str, Any], phase: str) -> bool:
    """Whether a row exists at that moment; most are there all along."""
    return bool(row.get("phase", phase) == phase)
