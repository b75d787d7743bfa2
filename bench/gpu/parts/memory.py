"""Peak memory of a rank in every way of checkpointing, against the plan's figures."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import torch
from budget import Budget
from document import Column, Result, Row
from settings import Settings
from world import PeakMemory, start

from skrull_runtime.batches.collate import collate
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.data.tokens import Tokens
from skrull_runtime.errors import UserError
from skrull_runtime.profiling.measure import StepTimer
from skrull_runtime.profiling.memory import factor_of, planned_bytes
from skrull_runtime.profiling.run_folder import RunFolder

MODELS = ("qwen2.5-0.5b", "qwen2.5-7b", "qwen3-8b")
MODES = ("none", "selective", "full", "offload")
MIB = 2**20
COLUMNS = (
    Column("model", "", "whole, or a few layers of it"),
    Column("checkpointing", "", "what the backward computes again"),
    Column("layout", "", "of the rank's tokens"),
    Column("tokens", "tokens", "of the rank"),
    Column("sharded_tokens", "tokens", "of these, of sequences that the group shares"),
    Column("peak_mib", "MiB", "measured, forward, backward and optimizer", 0),
    Column("planned_mib", "MiB", "by the plan", 0),
    Column("planned_of_peak", "", "planned over measured"),
)


def run(settings: Settings, budget: Budget) -> Result:
    """Measures run by run, as rank 0 of as many as each is compiled for."""
    result = Result(COLUMNS, [])
    names = [
        (model, mode) for model in (("small",) if settings.small else MODELS) for mode in MODES
    ]
    folders = {own: RunFolder(settings.run_folder("memory-" + "-".join(own))) for own in names}
    scheduling = folders[names[0]].scheduling
    start(scheduling.data_parallel * scheduling.context_parallel)
    if not settings.machine.is_gpu:
        result.notes.append("of the process, without a GPU: libraries and allocators are in it")
    longest = 0.0
    for own, folder in folders.items():
        before = budget.spent()
        if budget.allows(", ".join(own), longest):
            _measure(own, folder, settings, result)
            longest = max(longest, budget.spent() - before)
    return result


def _measure(
    names: tuple[str, str], run_folder: RunFolder, settings: Settings, result: Result
) -> None:
    before = torch.cuda.memory_allocated() if settings.machine.is_gpu else 0
    memory = PeakMemory(settings.device)
    timer = StepTimer(run_folder, run_folder.scheduling)
    result.kernels = [timer.trainer.kernel.name]
    peaks: dict[str, float] = {}
    for layout, micro_batch in _micro_batches(run_folder):
        row: Row = {"model": names[0], "checkpointing": names[1], "layout": layout}
        sharded = sum(group.tokens for group in micro_batch.layout.groups)
        row |= {"tokens": micro_batch.size, "sharded_tokens": sharded}
        planned = planned_bytes(run_folder.plan["memory"], micro_batch.size, sharded)
        row["planned_mib"] = planned / MIB
        try:
            peaks[layout] = _peak(timer, micro_batch, memory) - before
            row["peak_mib"] = peaks[layout] / MIB
            row["planned_of_peak"] = planned / peaks[layout]
        except UserError as error:  # out of memory
            result.notes.append(f"{', '.join(names)}, {layout}: {error}")
        result.rows.append(row)
    if settings.machine.is_gpu and {"half", "whole"} <= peaks.keys():
        tokens = run_folder.plan["memory"]["bucket"]
        slope = (peaks["whole"] - peaks["half"]) / (tokens - tokens // 2)
        factor = factor_of(slope, run_folder.plan)
        result.figures[f"activation_factor of {', '.join(names)}"] = factor
    del timer
    gc.collect()
    if settings.machine.is_gpu:
        torch.cuda.empty_cache()


def _peak(timer: StepTimer, micro_batch: MicroBatch, memory: PeakMemory) -> int:
    timer.trainer.rehearse(micro_batch, timer.groups)  # optimizer states, kernels
    memory.reset()
    timer.trainer.rehearse(micro_batch, timer.groups)
    return memory.peak()


def _micro_batches(run_folder: RunFolder) -> Iterator[tuple[str, MicroBatch]]:
    """Half the bucket and the bucket of one whole sequence, and the bucket of one that the group shares."""
    bucket: int = run_folder.plan["memory"]["bucket"]
    yield "half", _micro_batch(bucket // 2, 1)
    yield "whole", _micro_batch(bucket, 1)
    yield "sharded", _micro_batch(bucket, run_folder.scheduling.context_parallel)


def _micro_batch(tokens: int, degree: int) -> MicroBatch:
    length = tokens * degree
    placement: dict[str, Any] = {"sequence": 0, "first_rank": 0, "degree": degree}
    schedule = {"micro_batches": [{"index": 0, "placements": [placement]}]}
    return collate(schedule, 0, [length], lambda _: Tokens([0] * length, [0] * length))[0]
