"""A profile corrected by what training took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..config import SchedulingConfig, problem_of
from ..scheduling import communication_of, parse_problem
from .features import Batch, Communication, Terms
from .figures import figures_of, terms_of, zero_included
from .fit import Errors, Prior, fit_terms, predict
from .run_folder import RunFolder

BELIEF = 2.0  # the figures before count as so many steps
FEWEST = 8  # steps to correct by
# What training's steps say nothing about: as it was.
KEPT = ("activation_factor", "collectives")


@dataclass(frozen=True)
class Correction:
    """A corrected profile, what could not be told, and its errors on steps that were not fitted."""

    profile: dict[str, Any]
    notes: list[str]
    errors: Errors


def corrected(
    run: RunFolder,
    scheduling: SchedulingConfig,
    batches: list[Batch],
    times: list[float],
    name: str | None,
) -> Correction:
    """From step times in us, at least :data:`FEWEST`. Each half of the steps is predicted by a fit to the other."""
    communication = communication_of_run(scheduling)
    before = _terms_before(run, scheduling)
    prior = Prior(before.vector(), BELIEF)
    predicted = np.zeros(len(batches))
    for half in (0, 1):
        rest = slice(1 - half, None, 2)
        terms = fit_terms(batches[rest], times[rest], scheduling, communication, prior)
        predicted[half::2] = predict(terms, batches[half::2], scheduling, communication)
    terms = fit_terms(batches, times, scheduling, communication, prior)
    figures, notes = figures_of(terms, run.plan["demand"])
    hardware, topology = run.plan["hardware"], run.plan["topology"]
    ranks = scheduling.data_parallel * scheduling.context_parallel
    profile = {
        "format_version": 1,
        "name": name or f"{hardware['profile'] or topology['gpu']}, corrected by training"[:200],
        "gpu": topology["gpu"],
        "precision": run.config.model.precision,
        **figures,
        "zero_included": zero_included(run.plan, ranks),
        **{key: hardware["figures"][key] for key in KEPT if key in hardware["measured"]},
    }
    return Correction(profile, notes, Errors.of(predicted, times))


def communication_of_run(scheduling: SchedulingConfig) -> Communication:
    """As the run's schedules have it."""
    problem = parse_problem(problem_of(scheduling, [1]))
    return lambda degree, tokens: communication_of(tokens, degree, problem)


def _terms_before(run: RunFolder, scheduling: SchedulingConfig) -> Terms:
    """What the run was compiled with."""
    figures = run.plan["hardware"]["figures"]
    step = scheduling.forecast["fixed_us"]
    return terms_of(figures, run.plan["demand"], scheduling.cost["fixed"], step)
