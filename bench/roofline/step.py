"""One policy on one global batch: every rank and micro-batch, and what the slowest rank's step is made of."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from extended import Extended
from plain import plain_cell, whole_seconds
from replay import zero_seconds
from standin import NAME as ATTENTION
from subject import Cell

from skrull_runtime.batches.collate import StepBatch
from skrull_runtime.batches.feed import make_step_batch
from skrull_runtime.batches.packed import MicroBatch
from skrull_runtime.batches.sampler import GlobalBatch
from skrull_runtime.batches.segments import windows_in
from skrull_runtime.config import problem_of
from skrull_runtime.data.tokens import Tokens
from skrull_runtime.profiling.measure import spread_targets
from skrull_runtime.profiling.memory import planned_bytes
from skrull_runtime.scheduling import schedule
from skrull_runtime.scheduling.forecast import predicted_us


@dataclass
class Step:
    """All cells, and the micro-batches that they are of."""

    batches: list[list[MicroBatch]]  # [rank][micro-batch]
    cells: list[list[Cell]]  # the same; ranks with the same layout share one
    predicted: float  # seconds, of the plan
    zero: float  # of those, for what is not run here: ZeRO and the optimizer

    @property
    def slowest(self) -> int:
        """The rank whose micro-batches take longest together."""
        times = [sum(cell.seconds for cell in own) for own in self.cells]
        return times.index(max(times))


def step_of(subject: Extended, batch: GlobalBatch, policy: str) -> Step:
    """Runs it."""
    run = subject.run
    config = replace(run.scheduling, policy=policy)
    lengths = [run.lengths[sample] for sample in batch.samples]
    targets = [run.supervised[sample] for sample in batch.samples]
    made = schedule(problem_of(config, lengths))
    tokens = [_tokens(length, own) for length, own in zip(lengths, targets, strict=True)]
    windows = windows_in(run.path / "config.json")

    def part(rank: int) -> StepBatch:
        return make_step_batch(
            batch, made, lengths, targets, config, rank, tokens.__getitem__, windows
        )

    ranks = range(config.data_parallel * config.context_parallel)
    batches = [part(rank).micro_batches for rank in ranks]
    cells: list[list[Cell]] = [[] for _ in ranks]
    for index in range(len(batches[0])):
        own = [batches[rank][index] for rank in ranks]
        for rank, cell in enumerate(_cells(subject, own, first=index == 0)):
            cells[rank].append(cell)
    predicted = predicted_us(made, config, lengths, targets) / 1e6
    per_micro_batch, per_step = zero_seconds(run)
    return Step(batches, cells, predicted, per_micro_batch * len(batches[0]) + per_step)


def _tokens(length: int, targets: int) -> Tokens:
    ids = np.zeros(length, np.int64)
    return Tokens(ids, np.array(spread_targets(ids.tolist(), targets)))


def _cells(subject: Extended, batches: list[MicroBatch], first: bool) -> list[Cell]:
    """Of every rank in a micro-batch. Ranks whose layouts are alike differ by targets only: the one with most stands
    for all."""
    alike: dict[Any, list[int]] = defaultdict(list)
    for rank, own in enumerate(batches):
        groups = tuple((group.degree, group.chunks) for group in own.layout.groups)
        alike[own.layout.local, groups].append(rank)
    found: dict[int, Cell] = {}
    for ranks in alike.values():
        fullest = max(ranks, key=lambda rank: batches[rank].counted_size)
        if first:
            subject.forget_gradients()
        found |= dict.fromkeys(ranks, subject.run_once(batches[fullest], fullest))
    return [found[rank] for rank in range(len(batches))]


def _planned(memory: dict[str, Any], batch: MicroBatch) -> int:
    """By the plan's rows, states left out."""
    sharded = sum(group.tokens for group in batch.layout.groups)
    return planned_bytes(memory, batch.size, sharded, states=False)


def figures(subject: Extended, step: Step) -> dict[str, Any]:
    """For the report. Seconds and bytes."""
    rank = step.slowest
    own, batches = step.cells[rank], step.batches[rank]
    fullest = max(range(len(own)), key=lambda index: batches[index].size)
    memory = subject.run.plan["memory"]
    everything = [
        (cell, _planned(memory, batch))
        for cells, ranks in zip(step.cells, step.batches, strict=True)
        for cell, batch in zip(cells, ranks, strict=True)
    ]
    top, _ = max(everything, key=lambda pair: pair[0].peak)
    return {
        "rank": rank,
        "micro_batches": len(own),
        "predicted_seconds": step.predicted,
        "predicted_zero_seconds": step.zero,
        **sums(own),
        "peak_bytes": top.peak,
        "at_peak": top.at_peak,
        "predicted_peak_bytes": max(planned for _, planned in everything),
        "operations": operations(own),
        "baseline": {
            **_beside(own[fullest], batches[fullest], plain_cell(subject, batches[fullest])),
            "whole_seconds": whole_seconds(subject, batches[fullest]),
        },
    }


def sums(cells: list[Cell]) -> dict[str, Any]:
    """Of a rank's micro-batches."""
    tallies = [tally for cell in cells for tally in cell.tallies]
    return {
        "device_seconds": sum(tally.device_seconds for tally in tallies),
        "host_seconds": sum(tally.host_seconds for tally in tallies),
        "launches": sum(tally.launches for tally in tallies),
        "synchronisations": sum(tally.synchronisations for tally in tallies),
        "bytes": sum(tally.bytes for tally in tallies),
        "flops": sum(tally.flops for tally in tallies),
        "received_bytes": sum(tally.received for tally in tallies),
        "travel_seconds": sum(span.travels for tally in tallies for span in tally.spans),
        "waited_seconds": sum(span.waited for tally in tallies for span in tally.spans),
        "overlap": {
            "forward": overlap([cell.forward for cell in cells]),
            "backward": overlap([cell.backward for cell in cells]),
        },
    }


def overlap(tallies: list[Any]) -> float | None:
    """Share of the bytes that travel while an attention kernel runs; None where none travel."""
    spans = [span for tally in tallies for span in tally.spans if span.received]
    everything = sum(span.received for span in spans)
    hidden = sum(span.received for span in spans if span.attention > 0)
    return hidden / everything if everything else None


def operations(cells: list[Cell]) -> dict[str, dict[str, Any]]:
    """Launches, seconds and bytes by name."""
    total: dict[str, dict[str, Any]] = {}
    for name, line in (
        pair for cell in cells for tally in cell.tallies for pair in tally.operations.items()
    ):
        row = total.setdefault(name, {"launches": 0, "seconds": 0.0, "bytes": 0})
        row["launches"] += line.launches
        row["seconds"] += line.seconds
        row["bytes"] += line.bytes
    return total


def _beside(own: Cell, batch: MicroBatch, plain: Cell) -> dict[str, Any]:
    """A micro-batch and the baseline's; with and without attention kernels, whose work differs."""
    return {
        "tokens": batch.size,
        "sharded_tokens": sum(group.tokens for group in batch.layout.groups),
        "own": _short(own),
        "plain": _short(plain),
    }


def _short(cell: Cell) -> dict[str, Any]:
    rest = [tally.without(ATTENTION) for tally in cell.tallies]
    return {
        **{name: value for name, value in sums([cell]).items() if name != "overlap"},
        "seconds": cell.seconds,
        "besides_attention_seconds": sum(tally.device_seconds for tally in rest),
        "peak_bytes": cell.peak,
    }
