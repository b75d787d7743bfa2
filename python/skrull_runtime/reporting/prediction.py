"""Whether a run's first steps take the time that its plan predicted, within the band that the plan states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..batches.collate import StepBatch
from ..config import SchedulingConfig
from ..contract.records import TimeBand
from ..profiling.correction import communication_of_run, terms_before
from ..profiling.features import COLLECTIVES, PART_NAMES, Batch, part_times

STEPS = 20  # that are looked at
FEWEST = 3  # that say something of a shorter run
WARM_UP = 2  # first steps of a process: memory and kernels are being prepared
# Of the error that is left when everything is as much slower: what one part must be below to be named.
CLEARLY = 0.7
NOISE = 0.01  # mean error that nobody need explain
REPORT = "python -m skrull_runtime.report ."

NAMES = {
    "tokens": "the work of tokens (matrix products, norms and activations)",
    "head": "the output head and its loss",
    "attention": "attention",
    "micro-batches": "what every micro-batch takes whatever is in it",
    "step": "the optimizer's step",
    COLLECTIVES: "collectives of shared sequences",
}


@dataclass(frozen=True)
class Timed:
    """A step's time as measured and as predicted, in seconds."""

    step: int
    measured: float
    predicted: float


def median_of(steps: Sequence[Timed]) -> Timed:
    """The step whose ratio of both times is the median; of an even number the lower one."""
    ordered = sorted(steps, key=lambda own: own.predicted / own.measured)
    return ordered[(len(ordered) - 1) // 2]


def is_outside(step: Timed, band: float) -> bool:
    """Whether a prediction is further off than the band, a share of what is measured. A band of 100% or more says nothing
    of steps that are slower; they may then be slower by as many times as faster."""
    ratio = step.predicted / step.measured
    lowest = 1 - band if band < 1 else 1 / (1 + band)
    return not lowest <= ratio <= 1 + band


def likeliest_part(parts: np.ndarray, measured: np.ndarray) -> tuple[str, float] | None:
    """The one part that explains measured times best if it alone takes longer, or less, than predicted: its name, and how
    many times as long. None where no part does so clearly better than all of them alike.

    ``parts``: predicted times ``[n, len(PART_NAMES)]``; ``measured``: ``[n]``, in the same unit.
    """
    scaled = parts / measured[:, None]
    alike, _ = _explained(scaled.sum(axis=1), np.ones(len(measured)))
    rest = 1 - scaled.sum(axis=1)
    found = []
    for name, own in zip(PART_NAMES, scaled.T, strict=True):
        if not np.any(own):
            continue
        left, factor = _explained(own, rest + own)
        if factor > 0:
            found.append((left, name, factor))
    if not found or alike < NOISE:
        return None
    left, name, factor = min(found)
    return (name, factor) if left < CLEARLY * alike else None


def _explained(own: np.ndarray, wanted: np.ndarray) -> tuple[float, float]:
    """The factor of ``own [n]`` that comes closest to ``wanted [n]``, and the mean error that it leaves."""
    factor = float(own @ wanted / (own @ own))
    return float(np.mean(np.abs(wanted - factor * own))), factor


class PredictionCheck:
    """Looks at a run's first steps, on one rank, and says once what is to be said of them."""

    def __init__(self, scheduling: SchedulingConfig, band: TimeBand):
        self._scheduling, self._band = scheduling, band
        self._steps: list[tuple[Timed, Batch]] = []
        self._said = False

    @staticmethod
    def of(
        compiled: SchedulingConfig, scheduling: SchedulingConfig, trained: int
    ) -> PredictionCheck | None:
        """The check of a run that starts after so many trained steps; None where nothing was promised of it: it was
        compiled without a band or for other ranks, or has been looked at before."""
        band = scheduling.forecast.get("band") if scheduling.forecast else None
        same = compiled.data_parallel == scheduling.data_parallel
        if band is None or not same or trained >= WARM_UP + STEPS:
            return None
        return PredictionCheck(scheduling, band)

    def add(
        self, batch: StepBatch, lengths: list[int], targets: list[int], seconds: float
    ) -> str | None:
        """Takes a step that nothing disturbed, and its sequences' tokens and targets. The warning, with the last step that
        is looked at, if there is something to warn of."""
        if self._said or batch.schedule is None or batch.predicted_seconds <= 0:
            return None
        timed = Timed(batch.step, seconds, batch.predicted_seconds)
        self._steps.append((timed, Batch(batch.schedule, lengths, targets)))
        return self._verdict() if len(self._steps) >= STEPS else None

    def end(self) -> str | None:
        """The warning of a run that ends before :data:`STEPS` steps."""
        return None if self._said or len(self._steps) < FEWEST else self._verdict()

    def _verdict(self) -> str | None:
        self._said = True
        timed = [own for own, _ in self._steps]
        median = median_of(timed)
        if not is_outside(median, self._band["time"]):
            return None
        communication, terms = (
            communication_of_run(self._scheduling),
            terms_before(self._scheduling),
        )
        parts = [
            part_times(batch, self._scheduling, communication, terms) for _, batch in self._steps
        ]
        measured = np.array([1e6 * own.measured for own in timed])
        return warning(median, len(timed), self._band, likeliest_part(np.array(parts), measured))


def warning(median: Timed, steps: int, band: TimeBand, part: tuple[str, float] | None) -> str:
    """The warning, in a line."""
    rests = "with a profile" if band["kind"] == "profiled" else f"of the kind '{band['kind']}'"
    fits = (
        "these steps do not tell which part is at fault"
        if part is None
        else f"it fits best that {NAMES[part[0]]} takes {_times(part[1])} as planned"
    )
    return (
        f"steps take {_times(median.measured / median.predicted)} as predicted: step {median.step}, the median of"
        f" {steps}, took {_seconds(median.measured)}, {_seconds(median.predicted)} were predicted, and such"
        f" predictions were within {100 * band['time']:.0f}% (runs {rests}, {band['points']} measurements); {fits}."
        f" The run goes on. In its folder, {REPORT} --write-profile profile.json compares the parts, and writes a"
        " profile to plan with"
    )


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times as long" if ratio < 10 else f"{ratio:,.0f} times as long"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s"
