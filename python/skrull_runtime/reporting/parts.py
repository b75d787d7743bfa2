"""Where a run's steps spend their time: by part, as predicted, and as measured or fitted."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..config import SchedulingConfig
from ..profiling.correction import Correction, communication_of_run, terms_before
from ..profiling.features import COLLECTIVES, PART_NAMES, Batch, part_times
from ..profiling.history import MeasuredStep
from ..profiling.run_folder import Plan

# How a time that stands beside a prediction was come by: the run recorded it; least squares found it, so that all parts
# together come to the steps' times; or nobody measured it, and it is as the plan has it.
Origin = Literal["measured", "fitted", "modelled"]
TITLES = {
    "tokens": "matrix products, norms, activations",
    "attention": "attention",
    "head": "output head and loss",
    COLLECTIVES: "collectives that nothing hides",
    "micro-batches": "fixed cost of micro-batches",
    "step": "optimizer's step, ZeRO once a step",
}


@dataclass(frozen=True)
class Row:
    """A part of a step, mean over the steps, in seconds; ``of`` names the part that it is a part of."""

    id: str
    name: str
    predicted: float
    actual: float | None  # None where neither the run nor a fit says it
    origin: Origin
    of: str | None = None


def rows_of(
    steps: Sequence[MeasuredStep],
    batches: Sequence[Batch],
    plan: Plan,
    scheduling: SchedulingConfig,
    correction: Correction,
) -> list[Row]:
    """The parts of the steps that ``correction`` was made from; without those of others, they add up to the steps' time."""
    communication = communication_of_run(scheduling)
    before, after = (
        np.mean([part_times(own, scheduling, communication, terms) for own in batches], axis=0)
        / 1e6
        for terms in (terms_before(scheduling), correction.terms)
    )
    predicted = dict(zip(PART_NAMES, map(float, before), strict=True))
    fitted = dict(zip(PART_NAMES, map(float, after), strict=True))
    rows = []
    for name, title in TITLES.items():
        origin: Origin = "modelled" if name == COLLECTIVES else "fitted"
        rows.append(Row(name, title, predicted[name], fitted[name], origin))
        rows += _within(name, predicted[name], plan, steps)
    return [row for row in rows if row.predicted or row.actual]


def _within(part: str, predicted: float, plan: Plan, steps: Sequence[MeasuredStep]) -> list[Row]:
    """What is known of the inside of a part."""
    if part == "tokens":
        return _of_tokens(predicted, plan)
    zero = plan["step"]["zero_us"]
    if part == "micro-batches":
        count = statistics.fmean(own.micro_batches for own in steps)
        spent = count * zero["micro_batch"] / 1e6
        # Part of it runs beside the work, and is not in the part.
        return [
            Row(
                "zero-micro-batches",
                "ZeRO's traffic in and beside them",
                spent,
                None,
                "modelled",
                part,
            )
        ]
    if part == "step":
        spent = zero["step"] / 1e6
        measured = [own.optimizer_seconds for own in steps if own.optimizer_seconds is not None]
        optimizer = statistics.fmean(measured) if measured else None
        origin: Origin = "modelled" if optimizer is None else "measured"
        return [
            Row(
                "optimizer",
                "behind the last backward",
                max(0.0, predicted - spent),
                optimizer,
                origin,
                part,
            ),
            Row("zero-step", "ZeRO's traffic", spent, None, "modelled", part),
        ]
    return []


def _of_tokens(predicted: float, plan: Plan) -> list[Row]:
    """The kinds of a token's work, as far as the plan tells them apart: a run's steps cannot, as all grow with tokens."""
    figures, demand = plan["hardware"]["figures"], plan["demand"]
    rate = figures.get("elementwise_bytes_per_second")
    kinds = [
        ("products", "matrix products", demand["flops"]["body_per_token"] / figures["matmul_flops"])
    ]
    if "bytes" in demand and rate is not None:
        kinds.append(
            ("bandwidth", "norms, activations, residuals", demand["bytes"]["per_token"] / rate)
        )
    if demand["flops"]["attention_per_token"] > 0:
        windows = demand["flops"]["attention_per_token"] / figures["attention_flops"]
        kinds.append(("windows", "attention in sliding windows", windows))
    whole = sum(seconds for _, _, seconds in kinds)
    if len(kinds) == 1 or whole <= 0:
        return []
    return [
        Row(name, title, predicted * seconds / whole, None, "modelled", "tokens")
        for name, title, seconds in kinds
    ]


def as_lines(rows: Sequence[Row], measured: float, waited: float | None) -> list[str]:
    """A table of the rows, at most 80 characters wide; ``measured``: mean seconds a step, ``waited`` for its batch."""
    whole = [row for row in rows if row.of is None]
    lines = [f"  {'seconds a step, mean':<36}{'as compiled':>12}{'now':>12}"]
    lines += [
        _line("  " * (row.of is not None) + row.name, row.predicted, row.actual, row.origin)
        for row in rows
    ]
    fitted = sum(row.actual or 0.0 for row in whole)
    lines.append(_line("all parts", sum(row.predicted for row in whole), fitted, ""))
    lines.append(_line("the steps", None, measured, "measured"))
    if waited is not None:
        lines.append(_line("waiting for a step's batch, besides", 0.0, waited, "measured"))
    return lines


def _line(name: str, predicted: float | None, actual: float | None, origin: str) -> str:
    cells = ["-" if own is None else f"{own:.4g}" if own else "0" for own in (predicted, actual)]
    return f"  {name:<36}{cells[0]:>12}{cells[1]:>12}  {origin}".rstrip()
